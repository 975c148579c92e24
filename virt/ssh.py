"""What a host's sshd says of itself before anybody signs in, and what is run by it."""

import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from virt.access import Access
from virt.errors import TimedOut, Unreachable
from virt.opening import SENT_AWAY
from virt.transport import Endpoint, endpoint, resolve
from virt.words import gettext_noop

# In the order in which a key is worth keeping.
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
SCAN_SECONDS = 10
_ADDRESS_SECONDS = 2.0
# ssh-keyscan, of a connection that stood.
_HUNG_UP = ("Connection closed by remote host", "Connection reset by peer")


def offered_keys(host: str, port: int) -> list[str]:
    """Return the public keys that the sshd at `host` offers now, `KIND BASE64`, the best first (ssh-keyscan).

    Nothing vouches for them: a person compares the fingerprint. Raises Unreachable where no sshd answers, TimedOut
    after `SCAN_SECONDS`.
    """
    command = ["ssh-keyscan", "-T", str(SCAN_SECONDS // 2), "-p", str(port), "--", _answering(host, port)]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=SCAN_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise TimedOut() from error
    found = [line.split(None, 1)[1].strip() for line in told.stdout.splitlines() if line and not line.startswith("#")]
    known = sorted((key for key in found if key.split()[0] in KINDS), key=lambda key: KINDS.index(key.split()[0]))
    if not known and any(word in told.stderr for word in _HUNG_UP):
        raise Unreachable(SENT_AWAY[0], hint=SENT_AWAY[1], libvirt=" ".join(told.stderr.split()))
    if not known:
        raise Unreachable(
            gettext_noop("No ssh server answers at %(host)s, port %(port)s."),
            hint=gettext_noop("Check that sshd runs on the host, and that its port and address are right."),
            params={"host": host, "port": str(port)},
            libvirt=" ".join(line for line in told.stderr.splitlines() if not line.startswith("#")),
        )
    return known


def _answering(host: str, port: int) -> str:
    """The first of a name's addresses at which somebody listens: ssh-keyscan tries the first alone, ssh all of them."""
    with suppress(OSError):
        if len(resolve(Endpoint("ssh", host, port))) > 1:
            with socket.create_connection((host, port), timeout=_ADDRESS_SECONDS) as answers:
                return str(answers.getpeername()[0])
    return host


# What ssh tells of itself at the level at which it tells that it was let in.
_LET_IN = "Authenticated to "
_OF_ITSELF = (_LET_IN, "Transferred: sent ", "Bytes per second: ")


class NotEnded(TimedOut):
    """ssh was let in, and what it was to run did not end in time."""


@dataclass(frozen=True)
class Ran:
    """What a command that was run by ssh said; `code` is 255 where ssh itself failed."""

    code: int
    out: str
    err: str


def run(access: Access, *options: str, command: tuple[str, ...] = (), stdin: str = "", seconds: float) -> Ran:
    """Run `command` on the host, as libvirt does: with our key, trusting the pinned key alone and asking nobody.

    `options` are further ones of ssh. Raises TimedOut after `seconds` (NotEnded where it was let in), HostKeyUnknown
    where no key is pinned.
    """
    peer = endpoint(access.uri)
    user = ("-l", peer.user) if peer.user else ()
    program = [
        str(access.program),
        "-T",
        "-o",
        "LogLevel=VERBOSE",
        "-p",
        str(peer.port),
        *user,
        *options,
        "--",
        peer.host,
        *command,
    ]
    try:
        done = subprocess.run(  # noqa: S603
            program, input=stdin, capture_output=True, text=True, errors="replace", timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise (NotEnded() if _LET_IN in str(error.stderr) else TimedOut()) from error
    said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith(_OF_ITSELF))
    return Ran(done.returncode, done.stdout, said.strip())
