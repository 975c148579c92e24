"""One ssh connection to a host that many go through: jobs, and the consoles of its guests."""

import fcntl
import logging
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from virt.access import Access
from virt.errors import TimedOut, Unreachable, Unsupported
from virt.ssh import run
from virt.words import gettext_noop

log = logging.getLogger(__name__)

HOLD_SECONDS = 20.0
# How long a connection stays after its last use.
KEPT_SECONDS = 60
ASK_SECONDS = 10.0
RELEASE_SECONDS = 2.0
# ssh fills in what follows these, and splits at the others.
_SPECIAL = frozenset("%$:\\\0\n")


def hold(access: Access, control: Path) -> None:
    """Have a connection to the host at the socket `control`, which `access.ssh` is set to go through.

    It is made where there is none, and ends by itself `KEPT_SECONDS` after its last use. Where the host refuses
    it, there is none: libvirt's own ssh is then refused in the same words, and what those mean is told there.
    Raises TimedOut, so that nobody waits twice.
    """
    with control.with_name(f"{control.name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if _answers(control):
            return
        control.unlink(missing_ok=True)
        persist = f"ControlPersist={KEPT_SECONDS}"
        try:
            _ssh(access, "-N", "-o", "ControlMaster=yes", "-o", persist, seconds=HOLD_SECONDS)
        except Unreachable as error:
            if "timed out" in error.libvirt or isinstance(error, TimedOut):
                raise TimedOut(libvirt=error.libvirt) from error


def release(control: Path) -> None:
    """Have `hold`'s connection at that socket end: at once where nobody goes through it, else after those who do.

    Whoever comes later makes another one. One that has ended by itself is left at that.
    """
    path = str(control).replace("%", "%%")
    # ssh wants the name of a host here, and goes to none.
    command = ["ssh", "-F", "none", "-O", "stop", "-o", f"ControlPath={path}", "--", "localhost"]
    try:
        subprocess.run(command, capture_output=True, timeout=RELEASE_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        log.warning("The ssh connection at %s does not end", control)


@contextmanager
def passage(access: Access, to: str) -> Iterator[Path]:
    """While it lasts, whoever connects to the socket at this path is led to `to` on the host, by `hold`'s connection.

    `to` is ADDRESS:PORT as the host itself would say it, or the path of a socket there. Who has heard from the
    other end stays connected when it ends. Raises Unreachable; Unsupported for a path that ssh would not take as it is.
    """
    if to.startswith("/") and _SPECIAL & set(to):
        raise Unsupported(gettext_noop("The display's socket has a path that ssh cannot lead to."))
    here = access.program.parent / "passage"
    written = "".join({"%": "%%", ":": "\\:", "\\": "\\\\"}.get(letter, letter) for letter in str(here))
    _ssh(access, "-O", "forward", "-L", f"{written}:{to}", seconds=ASK_SECONDS)
    try:
        yield here
    finally:
        try:
            _ssh(access, "-O", "cancel", "-L", f"{written}:{to}", seconds=ASK_SECONDS)
        except Unreachable as error:
            # Where the connection has ended, the passage has too: what came of it is not lost with it.
            log.info("A passage to %s was not taken down: %s", access.uri, error)


def _answers(control: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(control)) == 0


def _ssh(access: Access, *options: str, seconds: float) -> None:
    done = run(access, *options, seconds=seconds)
    if done.code:
        raise Unreachable(libvirt=" ".join(done.err.split()))
