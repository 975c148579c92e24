"""virsh, the outside witness and the outside hand, and the libvirtd of this machine that answers it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

URI = "qemu:///system"
AWAY = "failed to connect to the hypervisor"
BACK_SECONDS = 30.0


def virsh(*arguments: str) -> str:
    """What virsh says, be it an answer or a complaint."""
    done = run_virsh(*arguments)
    return (done.stdout + done.stderr).strip()


def must_virsh(*arguments: str, stdin: str = "") -> str:
    """What virsh says when it has done it; AssertionError with its complaint when it has not."""
    done = run_virsh(*arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_virsh(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run virsh; again, for at most 30 s, while there is no libvirtd for it.

    libvirtd 9.0 crashes now and then when connections break, and is started again within a second or two. virsh that
    did not get through to it has changed nothing.
    """
    until = time.monotonic() + BACK_SECONDS
    while True:
        done = subprocess.run(
            ["virsh", "-q", "-c", URI, *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=60
        )
        if AWAY not in done.stderr or time.monotonic() >= until:
            return done
        time.sleep(0.2)


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
        assert virsh("uri") == URI


def _libvirtd() -> int:
    """The PID of the one that answers now."""
    assert virsh("uri") == URI
    return int(Path("/run/libvirtd.pid").read_text())
