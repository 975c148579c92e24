"""The house as `script/server` runs it: what is killed comes back, what is ended leaves nothing of ours."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import HOME, PASSWORD, Stack
from tests.virsh import must_virsh
from tests.waiting import wait_for
from webvirt.processes import PROGRAMS, Process, is_alive, recorded_group

WITH_CHILDREN = ("web", "worker-quick", "worker-long", "nginx")
TIMES = 5
GREEN_SECONDS = 40.0
GUEST = "webvirt-test-stays"
GUEST_XML = f"""
<domain type='qemu'><name>{GUEST}</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("house")) as running:
        yield running


def run_folder(house: Stack) -> Path:
    return house.data / "run"


def master(house: Stack, name: str) -> int:
    recorded = recorded_group(run_folder(house), name)
    assert recorded
    return recorded[0]


def children(house: Stack, name: str) -> set[int]:
    pid = master(house, name)
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def ours(house: Stack) -> list[str]:
    """Every process that belongs to this DATA, as `pid: command line`."""
    found = []
    for entry in Path("/proc").iterdir():
        process = Process.look(int(entry.name)) if entry.name.isdigit() else None
        if process is None or process.ended or process.pid == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if os.fsencode(house.data) in words:
            found.append(f"{entry.name}: {(entry / 'cmdline').read_bytes()!r}")
    return found


def green(house: Stack) -> None:
    """Wait for a doctor that finds nothing wrong."""
    began = time.monotonic()
    found = "not asked"
    while found and time.monotonic() - began < GREEN_SECONDS:
        found = house.doctor()
    assert not found, found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_killed_master_comes_back_by_itself(house: Stack, name: str) -> None:
    for _ in range(TIMES):
        killed = master(house, name)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda killed=killed: master(house, name) != killed and is_alive(run_folder(house), name), 30)
    green(house)


@pytest.mark.parametrize("name", WITH_CHILDREN)
def test_a_killed_child_comes_back_by_itself(house: Stack, name: str) -> None:
    wanted = len(wait_for(lambda: children(house, name)))
    for _ in range(TIMES):
        killed = min(children(house, name))
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda killed=killed: len(children(house, name) - {killed}) >= wanted, 30)
    green(house)


def test_a_second_start_on_the_same_folder_is_refused_in_words(house: Stack) -> None:
    refused = subprocess.run([HOME / "script" / "server"], env=house.environment, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "runs already" in refused.stderr
    green(house)


def test_a_taken_port_is_refused_in_words(house: Stack, tmp_path: Path) -> None:
    environment = {**house.environment, "WEBVIRT_DATA": str(tmp_path)}
    refused = subprocess.run([HOME / "script" / "server"], env=environment, capture_output=True, text=True)
    assert refused.returncode != 0
    assert f"Port {house.port}" in refused.stderr
    assert "WEBVIRT_PORT" in refused.stderr


def test_no_log_holds_a_console_token_or_the_password(house: Stack) -> None:
    with socket.create_connection(("127.0.0.1", house.port)) as connection:
        connection.sendall(b"GET /console/ws?token=sesame-open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.recv(100)
    logs = b"".join(log.read_bytes() for log in (house.data / "log").iterdir())
    assert b"sesame-open" not in logs
    assert PASSWORD.encode() not in logs


def test_ending_leaves_nothing_of_ours_and_every_guest(house: Stack, tmp_path: Path) -> None:
    definition = tmp_path / "guest.xml"
    definition.write_text(GUEST_XML)
    must_virsh("create", str(definition))
    try:
        house.stop()
        assert ours(house) == []
        assert GUEST in must_virsh("list", "--name")
    finally:
        must_virsh("destroy", GUEST)


def test_a_later_start_is_quick_and_needs_no_network(house: Stack) -> None:
    # A network of its own, with nothing in it but loopback.
    house.prefix = ("unshare", "--net", "bash", "-c", 'ip link set lo up && exec "$@"', "-")
    began = time.monotonic()
    try:
        house.start()
        assert time.monotonic() - began < 60
    finally:
        house.stop(signal.SIGINT)
        house.prefix = ()
    assert ours(house) == []


def test_what_a_killed_supervisor_left_does_not_keep_the_next_start_out(house: Stack) -> None:
    house.start()
    house.stop(signal.SIGKILL)
    assert ours(house)
    house.start()
    green(house)
    house.stop()
    assert ours(house) == []
