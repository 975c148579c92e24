"""A libvirtd that stands still: opens end in time, kept connections break, nothing stays behind."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.virt.conftest import URI
from tests.virsh import stopped_libvirtd
from tests.waiting import wait_for
from virt import domains
from virt.access import Access
from virt.connection import open_connection
from virt.errors import TimedOut, Unreachable

LIBVIRT_SOCKET = "/run/libvirt/libvirt-sock"


def opening_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("open ")]


class FreezingProxy:
    """A way to libvirtd that can fall silent without hurting anybody else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frozen = threading.Event()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(LIBVIRT_SOCKET)
        self._ends += [client, server]
        for source, sink in ((client, server), (server, client)):
            self._threads.append(threading.Thread(target=self._pass_on, args=(source, sink), daemon=True))
            self._threads[-1].start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            if not self.frozen.is_set():
                sink.sendall(data)

    def close(self) -> None:
        for end in self._ends:
            end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in [self._listener, *self._ends]:
            end.close()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[FreezingProxy]:
    running = FreezingProxy(tmp_path / "proxy.sock")
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def silence() -> Iterator[None]:
    with stopped_libvirtd():
        yield


def test_opens_to_a_stopped_libvirtd_end_in_time_and_leave_nothing(silence: None) -> None:
    open_connection(Access("test:///default")).close()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        began = time.monotonic()
        with pytest.raises(TimedOut):
            open_connection(Access(URI), timeout=0.05)
        # Of 10 s that an open may take; the other programs of the machine look for their libvirtd meanwhile.
        assert time.monotonic() - began < 3
    wait_for(lambda: not opening_threads())
    wait_for(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)


def test_a_kept_connection_breaks_when_the_host_falls_silent(proxy: FreezingProxy) -> None:
    closed: list[str] = []
    with open_connection(Access(f"qemu+unix:///system?socket={proxy.path}")) as conn:
        conn.on_close(closed.append)
        domains.list_all(conn)
        proxy.frozen.set()
        began = time.monotonic()
        with pytest.raises(Unreachable):
            domains.list_all(conn)
        assert time.monotonic() - began < 20
        wait_for(lambda: closed == ["keepalive"])
        assert not conn.is_alive()
