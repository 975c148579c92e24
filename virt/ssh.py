"""What a host's sshd says of itself before anybody signs in."""

import subprocess

from virt.errors import TimedOut, Unreachable
from virt.words import gettext_noop

# In the order in which a key is worth keeping.
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
SCAN_SECONDS = 10


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
