"""Webvirt's own ssh key, and the keys by which hosts are known."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)
from django.conf import settings

from virt.errors import KeyRefused
from virt.words import gettext_noop
from webvirt.places import kept_file

OWNER = "webvirt"
CANNOT = (ValueError, TypeError, UnsupportedAlgorithm)


class OwnKeyUnreadable(KeyRefused):
    """What lies where our private key should be is none: no host was asked."""

    code = "own_key_unreadable"
    title = gettext_noop("Webvirt's own SSH key cannot be read")
    detail = gettext_noop(
        "%(path)s on the machine of Webvirt is no private key in OpenSSH's own form without a passphrase."
    )
    hint = gettext_noop("Put it back, or remove it: Webvirt then makes a new one, which each host has to let in anew.")


def own_key() -> Path:
    """The file of our private key (ed25519, OpenSSH's form), made once and readable by our user alone."""
    return kept_file(settings.DATA / "keys" / "id_ed25519", _new_key)


def _new_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def own_public_key() -> str:
    """Our public key as a line of authorized_keys. Raises OwnKeyUnreadable."""
    path = own_key()
    try:
        return public_key_of(path.read_text())
    except (*CANNOT, OSError) as error:
        raise OwnKeyUnreadable(params={"path": str(path)}) from error


def public_key_of(private_key: str) -> str:
    """The line of authorized_keys that goes with a private key in OpenSSH's form. Raises ValueError."""
    key = load_ssh_private_key(private_key.encode(), password=None)
    return f"{key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {OWNER}"


@dataclass(frozen=True)
class HostKey:
    """A public key of a host: its kind as ssh names it, and the key in base64."""

    kind: str
    blob: str

    @classmethod
    def parse(cls, line: str) -> "HostKey":
        """Read `KIND BASE64`, as ssh-keyscan and known_hosts write it after the host. Raises ValueError."""
        kind, _, rest = line.strip().partition(" ")
        blob = rest.split()[0] if rest.split() else ""
        try:
            raw = base64.b64decode(blob, validate=True)
        except binascii.Error as error:
            raise ValueError(f"not a key: {error}") from error
        # The key names its own kind once more (RFC 4253, 6.6).
        if len(raw) < 4 + len(kind) or raw[4 : 4 + len(kind)].decode("ascii", "replace") != kind or not kind:
            raise ValueError("not a key of the kind that it is said to be")
        return cls(kind, blob)

    def __str__(self) -> str:
        return f"{self.kind} {self.blob}"

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it: SHA256 and base64 without padding."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    @property
    def algorithm(self) -> str:
        """Its kind in words that people use: ED25519, ECDSA, RSA."""
        name = self.kind.removeprefix("ssh-").removeprefix("sk-")
        return name.split("-")[0].upper()
