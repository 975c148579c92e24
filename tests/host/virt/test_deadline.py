"""A libvirtd that stands still: opens end in time, kept connections break, nothing stays behind."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.virt.conftest import URI
from tests.lab.ssh_host import SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.virsh import stopped_libvirtd
from tests.waiting import wait_for
from virt import domains
from virt.access import Access
from virt.connection import OPEN_SECONDS, open_connection
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


def run_where(name: str, addresses: list[str], program: str, folder: Path, stdin: str = "") -> str:
    """What a program of Python's says on a machine that knows these addresses of a name."""
    names = folder / "hosts"
    names.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for address in addresses))
    lines = 'mount --bind "$1" /etc/hosts; exec "$2" -c "$3"'
    command = ["unshare", "--mount", "sh", "-c", lines, "sh", str(names), sys.executable, program]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=3 * OPEN_SECONDS).stdout


def test_a_silent_address_is_passed_over_where_the_name_has_another(
    tls_host: TlsHost, tcp_host: TcpHost, tmp_path: Path
) -> None:
    """libvirt alone would wait for minutes before it turns to the second."""
    tls_host.go_dark()
    address = f"qemu+tcp://{tcp_host.user}@t-two.lab/system"
    program = (
        "import sys; from virt.access import Access; from virt.connection import open_connection\n"
        f"with open_connection(Access({address!r}, password=sys.stdin.read())) as connection: print(connection.driver)"
    )
    said = run_where("t-two.lab", [tls_host.address, tcp_host.address], program, tmp_path, tcp_host.password)
    assert said.strip() == "QEMU"


def test_the_key_is_fetched_where_the_first_address_is_silent(
    tls_host: TlsHost, ssh_host: SshHost, tmp_path: Path
) -> None:
    tls_host.go_dark()
    program = "from virt.ssh import offered_keys; print(offered_keys('t-two.lab', 22)[0])"
    said = run_where("t-two.lab", [tls_host.address, ssh_host.address], program, tmp_path)
    assert said.split()[:2] == ssh_host.host_key.split()[:2]
