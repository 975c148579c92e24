"""Thirty guests are asked for while Webvirt's programs are killed: every task ends truthfully, nothing is left over."""

import os
import random
import secrets
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.program import Program
from tests.stack import Stack
from tests.virsh import guests, virsh, volumes
from tests.waiting import wait_for
from webvirt.processes import recorded_group

PREFIX = f"t-storm-{secrets.token_hex(3)}-"
GUESTS = 30
KILLED = ("worker-quick", "worker-long", "web", "monitor", "beat", "nginx")
KILLS = 25
BETWEEN_KILLS = 0.6  # seconds


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    for name in guests(PREFIX):
        virsh("destroy", name)
        virsh("undefine", name)
    for name in volumes(PREFIX):
        virsh("vol-delete", name, "--pool", "default")


def kill_one(stack: Stack, dice: random.Random) -> bool:
    """Kill -9 some program's master or one of its children; False when it is just coming back from the last one."""
    recorded = recorded_group(stack.data / "run", dice.choice(KILLED))
    if recorded is None:
        return False
    master = recorded[0]
    try:
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        os.kill(int(dice.choice([*children, str(master)])), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return True


def test_tasks_end_truthfully_while_programs_are_killed(stack: Stack) -> None:
    program = Program.of(stack, "storm")
    host = program.get("hosts/")["results"][0]["id"]
    pool = next(pool["id"] for pool in program.get("pools/")["results"] if pool["name"] == "default")
    kinds = {"host": host, "vcpus": 1, "memory_bytes": 64 * 1024**2, "networks": [], "start": True}
    asked = threading.Event()
    kills: list[bool] = []

    def storm() -> None:
        dice = random.Random(7)
        pause = threading.Event()
        while not asked.is_set() or sum(kills) < KILLS:
            kills.append(kill_one(stack, dice))
            pause.wait(BETWEEN_KILLS)

    def create(number: int) -> int:
        disks = [{"pool": pool, "size_bytes": 1024**3}]
        answer = program.insist("POST", "instances/", {**kinds, "name": f"{PREFIX}{number}", "disks": disks})
        assert answer.status == 202, (answer.status, answer.body)
        return int(answer.json["task"]["id"])

    killer = threading.Thread(target=storm)
    killer.start()
    try:
        with ThreadPoolExecutor(3) as threads:
            ids = list(threads.map(create, range(GUESTS)))
    finally:
        asked.set()
        killer.join()
    tasks = [program.end_of(task_id) for task_id in ids]
    wait_for(lambda: stack.doctor() == "", 60)

    succeeded = {task["object"]["name"] for task in tasks if task["state"] == "succeeded"}
    assert {task["state"] for task in tasks} <= {"succeeded", "failed", "interrupted"}, tasks
    assert guests(PREFIX) == succeeded
    assert volumes(PREFIX) == {f"{name}.qcow2" for name in succeeded}

    def inventory() -> set[str]:
        return {guest["name"] for guest in program.get(f"instances/?search={PREFIX}&limit=100")["results"]}

    wait_for(lambda: inventory() == guests(PREFIX), 40)
