"""What opens a host and nobody may read: sealed in its row, with a key in DATA."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from virt.errors import PasswordRefused
from virt.words import gettext_noop
from webvirt.places import kept_secret


@dataclass(frozen=True)
class Secrets:
    """The SASL user's password; an ssh key instead of Webvirt's own; TLS certificates and their key (all PEM)."""

    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    ca_certificate: str = field(default="", repr=False)
    client_certificate: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)

    @property
    def known(self) -> frozenset[str]:
        """Which of them are there: all that a form or an answer may tell."""
        return frozenset(name for name, value in asdict(self).items() if value)


class KeptUnreadable(PasswordRefused):
    """What opens the host was sealed with another key than the one in DATA: the host itself refused nothing."""

    code = "secrets_unreadable"
    title = gettext_noop("What opens this host cannot be read")
    detail = gettext_noop("What is kept to open this host cannot be read with the key in Webvirt's own folder.")
    hint = gettext_noop("Enter its password or keys again.")


@cache
def _box() -> Fernet:
    secret = kept_secret(settings.DATA / "keys" / "credentials_key")
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))


def seal(secrets: Secrets) -> str:
    """Encrypt them; "" where there are none."""
    return _box().encrypt(json.dumps(asdict(secrets)).encode()).decode() if secrets.known else ""


def unseal(sealed: str) -> Secrets:
    """Decrypt what `seal` made. Raises KeptUnreadable when DATA holds another key than it was sealed with."""
    if not sealed:
        return Secrets()
    try:
        return Secrets(**json.loads(_box().decrypt(sealed.encode())))
    except InvalidToken as error:
        raise KeptUnreadable() from error


def unseal_or_none(sealed: str) -> Secrets | None:
    """Decrypt what `seal` made; None where DATA holds another key, so that all of them are lost."""
    try:
        return unseal(sealed)
    except KeptUnreadable:
        return None
