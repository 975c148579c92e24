"""Opening connections: deadlines, what is left behind, and what people are told."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_for
from virt.access import Access
from virt.connection import open_connection
from virt.errors import TimedOut, Unreachable, Unsupported, VirtError

OPENING = "open "
# Seconds. Whoever is not given up after 0.3 s is after 10, or never.
IN_TIME = 5


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def opening_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(OPENING)]


@pytest.fixture
def silent_socket(tmp_path: Path) -> Iterator[Path]:
    """A unix socket whose owner accepts and says nothing."""
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(100)
        yield path


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A TCP port whose owner accepts and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield listener.getsockname()[1]


def test_it_opens_the_test_driver() -> None:
    with open_connection(Access("test:///default")) as conn:
        assert conn.is_alive()
        assert conn.driver == "TEST"
    assert not conn.is_alive()


def test_a_file_that_the_test_driver_is_led_to_is_not_quoted(tmp_path: Path) -> None:
    """Else whoever adds hosts would read the files of Webvirt's own user: its keys, for one."""
    path = tmp_path / "key"
    path.write_text("t-secret")
    with pytest.raises(VirtError) as told:
        open_connection(Access(f"test://{path}"))
    assert str(path) in str(told.value)
    assert "t-secret" not in str(told.value)


def test_a_socket_that_the_address_names_and_nobody_listens_at_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong-sock"
    with pytest.raises(Unreachable) as told:
        open_connection(Access(f"qemu+unix:///system?socket={path}"))
    assert told.value.detail % told.value.params == f"Nobody listens at the socket {path}, which the address names."


def test_a_closed_connection_closes_again() -> None:
    conn = open_connection(Access("test:///default"))
    conn.close()
    conn.close()


def test_a_silent_socket_is_given_up_in_time(silent_socket: Path) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        open_connection(Access(f"qemu+unix:///system?socket={silent_socket}"), timeout=0.3)
    assert time.monotonic() - began < IN_TIME


def test_a_silent_port_is_given_up_in_time(silent_port: int) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        open_connection(Access(f"qemu+tcp://127.0.0.1:{silent_port}/system"), timeout=0.3)
    assert time.monotonic() - began < IN_TIME


def test_twenty_silent_opens_leave_no_thread_and_no_descriptor(silent_socket: Path, silent_port: int) -> None:
    uris = (f"qemu+unix:///system?socket={silent_socket}", f"qemu+tcp://127.0.0.1:{silent_port}/system")
    open_connection(Access("test:///default")).close()
    before = descriptors()
    for _ in range(10):
        for uri in uris:
            with pytest.raises(TimedOut):
                open_connection(Access(uri), timeout=0.05)
    wait_for(lambda: not opening_threads())
    wait_for(lambda: descriptors() <= before)


def test_giving_up_on_one_host_leaves_another_open_in_flight_alone(silent_port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        uri = f"qemu+tcp://127.0.0.1:{other.getsockname()[1]}/system"
        ended: list[float] = []

        def wait_long() -> None:
            with pytest.raises(TimedOut):
                open_connection(Access(uri), timeout=1.0)
            ended.append(time.monotonic())

        began = time.monotonic()
        thread = threading.Thread(target=wait_long)
        thread.start()
        with pytest.raises(TimedOut):
            open_connection(Access(f"qemu+tcp://127.0.0.1:{silent_port}/system"), timeout=0.2)
        thread.join()
    assert ended[0] - began > 0.9


def test_one_open_at_a_time_leads_to_a_host(silent_socket: Path) -> None:
    uri = f"qemu+unix:///system?socket={silent_socket}"
    most: list[int] = []
    before: set[threading.Thread] = set()

    def attempt() -> None:
        with pytest.raises(TimedOut):
            open_connection(Access(uri), timeout=0.3)

    threads = [threading.Thread(target=attempt) for _ in range(5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        # One that is just ending has given its turn to the next: only what two looks see is open.
        now = set(opening_threads())
        most.append(len(now & before))
        before = now
        threads[0].join(0.01)
        threads[-1].join(0.01)
    assert max(most) == 1


def test_a_missing_socket_says_so() -> None:
    with pytest.raises(Unreachable) as caught:
        open_connection(Access("qemu+unix:///system?socket=/nonexistent/socket"))
    assert "/nonexistent/socket" in caught.value.libvirt


def test_a_refusing_port_says_so() -> None:
    with pytest.raises(Unreachable) as caught:
        open_connection(Access("qemu+tcp://127.0.0.1:1/system"))
    assert "refused" in caught.value.libvirt


def test_an_unknown_name_says_which() -> None:
    with pytest.raises(Unreachable) as caught:
        open_connection(Access("qemu+tcp://no-such-host.invalid/system"))
    assert "no-such-host.invalid" in str(caught.value)


def test_a_transport_without_a_deadline_is_refused() -> None:
    with pytest.raises(Unsupported, match="ext"):
        open_connection(Access("qemu+ext:///system"))


def test_a_program_with_an_open_connection_ends() -> None:
    program = "from virt.access import Access; from virt.connection import open_connection; c = open_connection(Access('test:///default'))"
    ended = subprocess.run([sys.executable, "-c", program], timeout=20, check=False)
    assert ended.returncode == 0


def test_the_loop_refuses_to_be_inherited() -> None:
    program = """
import os
from virt.loop import start_event_loop
start_event_loop()
child = os.fork()
if child == 0:
    try:
        start_event_loop()
    except RuntimeError:
        os._exit(7)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=20, check=False).returncode == 0
