"""The lab: three libvirt hosts on this machine, joined by a bridge."""

import fcntl
import os
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.host import Host
from tests.lab.ssh_host import SshClient, SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.waiting import wait_for

# Guests' disks and what runs as a program lie here, the hosts' many small files in memory.
PLACE, QUICK = Path("/var/tmp"), Path("/dev/shm")
MOST = 20


class Lab:
    """The hosts `ssh`, `tcp` and `tls`, up between `up` and `down`, and `client`, a key for the first.

    Several labs can be up at once: each has a number, of which its folder, its bridge and its network
    (10.77+N.0.0/24, the machine itself at .1) are made. What a killed one left is removed by the next.
    """

    def __init__(self) -> None:
        self._held = -1
        self.folder = PLACE
        self.bridge = ""

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.down()

    def up(self) -> None:
        number = self._take_number()
        self.bridge = f"wvlab{number}"
        self.folder = PLACE / f"wvlab-{number}"
        net = f"10.{77 + number}.0"
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input=(
            f"link add {self.bridge} type bridge\naddr add {net}.1/24 dev {self.bridge}\nlink set {self.bridge} up\n"
        ))  # fmt: skip
        place = (f"{net}.0/24", self.bridge)
        self.ssh = SshHost(*self._folders(SshHost.name), f"{net}.11", *place)
        self.tcp = TcpHost(*self._folders(TcpHost.name), f"{net}.12", *place)
        self.tls = TlsHost(*self._folders(TlsHost.name), f"{net}.13", *place)
        self.client = SshClient(self.folder / "client")
        names = {host.name: host.address for host in self.hosts}
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda host: host.up(names), self.hosts))
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """End everything: processes, namespaces, bridge, files."""
        for host in self.hosts:
            host.down()
        _remove(self.bridge, self.folder.name)
        _unlock(self.folder.with_suffix(".lock"), self._held)

    @property
    def hosts(self) -> tuple[Host, ...]:
        return (self.ssh, self.tcp, self.tls)

    def _folders(self, name: str) -> tuple[Path, Path]:
        return QUICK / self.folder.name / name, self.folder / name

    def _take_number(self) -> int:
        """The first number that no living lab has; clears what dead ones left."""
        taken = -1
        for number in range(MOST):
            lock = PLACE / f"wvlab-{number}.lock"
            if taken >= 0 and not lock.exists():
                continue
            descriptor = _lock(lock)
            if descriptor < 0:
                continue
            _remove(f"wvlab{number}", f"wvlab-{number}")
            if taken < 0:
                taken, self._held = number, descriptor
            else:
                _unlock(lock, descriptor)
        assert taken >= 0, f"{MOST} labs are up"
        (PLACE / f"wvlab-{taken}").mkdir(mode=0o755)
        return taken


def _lock(path: Path) -> int:
    """A descriptor that holds the file locked, or -1 when a living process does."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return -1
        if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
            return descriptor
        # Whoever held it removed it in between: it locks nothing any more.
        os.close(descriptor)


def _unlock(path: Path, descriptor: int) -> None:
    path.unlink()
    os.close(descriptor)


def is_there(device: str) -> bool:
    """Whether this network has a device; asked of the kernel, since /sys may be another network's."""
    return device in (name for _, name in socket.if_nameindex())


def _remove(bridge: str, folder: str) -> None:
    # A host's own card stays for minutes after it where a connection to it was still open.
    for device in [name for _, name in socket.if_nameindex() if name == bridge or name.startswith(f"{bridge}-")]:
        subprocess.run(["ip", "link", "del", device], check=False, stderr=subprocess.DEVNULL)
    # The hosts of a test that was killed may be ending just now, and still write.
    for path in (PLACE / folder, QUICK / folder):
        wait_for(partial(_gone, path))


def _gone(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
