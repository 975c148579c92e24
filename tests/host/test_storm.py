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
BETWEEN_KILLS = 1.5


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    for name in guests(PREFIX):
        virsh("destroy", name)
        virsh("undefine", name)
    for name in volumes(PREFIX):
        virsh("vol-delete", name, "--pool", "default")


def kill_now_and_then(stack: Stack, over: threading.Event) -> None:
    """Kill -9 a program's master or one of its children, in turn, until told that it is over."""
    dice = random.Random(7)
    while not over.wait(BETWEEN_KILLS):
        recorded = recorded_group(stack.data / "run", dice.choice(KILLED))
        if recorded is None:
            continue
        master = recorded[0]
        try:
            children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
            os.kill(int(dice.choice([*children, str(master)])), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it is just coming back from the last one


def test_tasks_end_truthfully_while_programs_are_killed(stack: Stack) -> None:
    program = Program.of(stack, "storm")
    host = program.get("hosts/")["results"][0]["id"]
    pool = next(pool["id"] for pool in program.get("pools/")["results"] if pool["name"] == "default")

    def create(number: int) -> dict[str, object]:
        disk = {"pool": pool, "size_bytes": 1024**3}
        name = f"{PREFIX}{number}"
        wish = {"name": name, "host": host, "vcpus": 1, "memory_bytes": 64 * 1024**2, "disks": [disk], "networks": []}
        return program.change("POST", "instances/", wish)

    over = threading.Event()
    killer = threading.Thread(target=kill_now_and_then, args=(stack, over))
    killer.start()
    try:
        with ThreadPoolExecutor(6) as pool_of_threads:
            tasks = list(pool_of_threads.map(create, range(GUESTS)))
    finally:
        over.set()
        killer.join()
    wait_for(lambda: stack.doctor() == "", 60)

    succeeded = {task["object"]["name"] for task in tasks if task["state"] == "succeeded"}
    assert {task["state"] for task in tasks} <= {"succeeded", "failed", "interrupted"}, tasks
    assert guests(PREFIX) == succeeded
    assert volumes(PREFIX) == {f"{name}.qcow2" for name in succeeded}

    def inventory() -> set[str]:
        return {guest["name"] for guest in program.get(f"instances/?search={PREFIX}&limit=100")["results"]}

    wait_for(lambda: inventory() == guests(PREFIX), 40)
