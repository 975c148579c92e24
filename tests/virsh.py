"""virsh, the outside witness and the outside hand, and the libvirtd of this machine that answers it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_for


def virsh(*arguments: str) -> str:
    """What virsh says, be it an answer or a complaint."""
    done = subprocess.run(["virsh", "-q", *arguments], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def guests(prefix: str) -> set[str]:
    """The names of the host's guests that begin with `prefix`."""
    return {name for name in virsh("list", "--all", "--name").split() if name.startswith(prefix)}


def volumes(prefix: str, pool: str = "default") -> set[str]:
    """The names of the pool's volumes that begin with `prefix`, as its disk has them now."""
    virsh("pool-refresh", pool)
    lines = virsh("vol-list", pool).splitlines()
    return {line.split()[0] for line in lines if line.strip().startswith(prefix)}


def kill_libvirtd() -> None:
    """End the machine's own libvirtd as a crash does; what keeps it running starts it again."""
    os.kill(_libvirtd(), signal.SIGKILL)


@contextmanager
def stopped_libvirtd() -> Iterator[None]:
    """The machine's own libvirtd silent, as by SIGSTOP, for a moment: other programs live on its answers."""
    pid = _libvirtd()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        # libvirtd 9.0 crashes now and then when it finds its clients gone.
        wait_for(lambda: virsh("uri") == "qemu:///system", timeout=30)


def _libvirtd() -> int:
    return int(Path("/run/libvirtd.pid").read_text())
