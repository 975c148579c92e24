"""ssh besides libvirt's own use of it: the keys that a host offers, and one connection that many go through."""

import fcntl
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from virt.access import Access
from virt.errors import HostKeyUnknown, TimedOut, Unreachable, Unsupported
from virt.transport import endpoint
from virt.words import gettext_noop

# In the order in which a key is worth keeping.
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
SCAN_SECONDS = 10
HOLD_SECONDS = 20.0
# How long a connection stays after its last use.
KEPT_SECONDS = 60
ASK_SECONDS = 10.0
# ssh fills in what follows these, and splits at the others.
_SPECIAL = frozenset("%$:\\\0\n")


def offered_keys(host: str, port: int) -> list[str]:
    """Return the public keys that the sshd at `host` offers now, `KIND BASE64`, the best first (ssh-keyscan).

    Nothing vouches for them: a person compares the fingerprint. Raises Unreachable where no sshd answers, TimedOut
    after `SCAN_SECONDS`.
    """
    command = ["ssh-keyscan", "-T", str(SCAN_SECONDS // 2), "-p", str(port), "--", host]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=SCAN_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise TimedOut() from error
    found = [line.split(None, 1)[1].strip() for line in told.stdout.splitlines() if line and not line.startswith("#")]
    known = sorted((key for key in found if key.split()[0] in KINDS), key=lambda key: KINDS.index(key.split()[0]))
    if not known:
        raise Unreachable(
            gettext_noop("No ssh server answers at %(host)s, port %(port)s."),
            hint=gettext_noop("Check that sshd runs on the host, and that its port and address are right."),
            params={"host": host, "port": str(port)},
            libvirt=" ".join(line for line in told.stderr.splitlines() if not line.startswith("#")),
        )
    return known


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


@contextmanager
def passage(access: Access, to: str) -> Iterator[Path]:
    """While it lasts, whoever connects to the socket at this path is led to `to` on the host, by `hold`'s connection.

    `to` is ADDRESS:PORT as the host itself would say it, or the path of a socket there. Who has heard from the
    other end stays connected when it ends. Raises Unreachable; Unsupported for a path that ssh would not take as it is.
    """
    if to.startswith("/") and _SPECIAL & set(to):
        raise Unsupported(gettext_noop("The display's socket has a path that ssh cannot lead to."))
    here = _program(access).parent / "passage"
    written = "".join({"%": "%%", ":": "\\:", "\\": "\\\\"}.get(letter, letter) for letter in str(here))
    _ssh(access, "-O", "forward", "-L", f"{written}:{to}", seconds=ASK_SECONDS)
    try:
        yield here
    finally:
        _ssh(access, "-O", "cancel", "-L", f"{written}:{to}", seconds=ASK_SECONDS)


def _answers(control: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(control)) == 0


def _program(access: Access) -> Path:
    if access.ssh is None:
        raise HostKeyUnknown(gettext_noop("The key of this host has not been confirmed yet."))
    return access.ssh


def _ssh(access: Access, *options: str, seconds: float) -> None:
    peer = endpoint(access.uri)
    user = ("-l", peer.user) if peer.user else ()
    command = [str(_program(access)), "-p", str(peer.port), *user, *options, "--", peer.host]
    try:
        told = subprocess.run(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimedOut() from error
    if told.returncode:
        raise Unreachable(libvirt=" ".join(told.stderr.split()))
