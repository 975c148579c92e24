"""How a host is reached: its address, and what opening it needs besides."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from virt.errors import HostKeyUnknown, Unsupported
from virt.words import gettext_noop

# What an address may say of itself. Others would run a program, switch off a check or name a file of this machine.
PARAMETERS = frozenset({"mode", "proxy", "socket", "tls_priority"})
# Neither begins with a dash: both become arguments of ssh. What stands between a name's dots is not empty, and has at
# most 63 characters: resolving another one fails in ways of its own.
HOST = re.compile(r"[A-Za-z0-9_:%][A-Za-z0-9_:%-]{0,62}(\.[A-Za-z0-9_:%-]{1,63})*\.?")
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")


@dataclass(frozen=True)
class Access:
    """What opens a host's libvirt.

    `uri` is libvirt's address without secrets. `password` answers SASL for the address' user. `ssh` is the
    program that is run as ssh, in a folder of its own: it holds our key and the host's pinned key. `pki` is a
    folder with cacert.pem, clientcert.pem and clientkey.pem; None for libvirt's own place.
    """

    uri: str
    password: str = field(default="", repr=False)
    ssh: Path | None = None
    pki: Path | None = None

    @property
    def user(self) -> str:
        return unquote(urlsplit(self.uri).username or "")

    @property
    def program(self) -> Path:
        """What is run as ssh. Raises HostKeyUnknown where the host's key is not pinned."""
        if self.ssh is None:
            raise HostKeyUnknown(gettext_noop("The key of this host has not been confirmed yet."))
        return self.ssh

    @property
    def address(self) -> str:
        """The address as libvirt's open takes it. Raises HostKeyUnknown for ssh without a pinned key."""
        parts = urlsplit(self.uri)
        query = parse_qsl(parts.query, keep_blank_values=True)
        if parts.scheme.endswith("+ssh"):
            query += [("command", str(self.program)), ("no_tty", "1")]
        if self.pki is not None:
            query.append(("pkipath", str(self.pki)))
        return urlunsplit(parts._replace(query=urlencode(query, safe="/", quote_via=quote)))


def require_plain(uri: str) -> None:
    """Raise Unsupported, in words, for an address that holds a secret or a parameter that is not for it."""
    parts = urlsplit(uri)
    if parts.password is not None:
        raise Unsupported(
            gettext_noop("An address holds no password."),
            hint=gettext_noop("Give the password in its own field, where it is kept encrypted."),
        )
    for name, _value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in PARAMETERS:
            raise Unsupported(
                gettext_noop("The parameter %(name)s cannot be used in an address."),
                hint=gettext_noop("Keys and certificates have fields of their own, and checks are never switched off."),
                params={"name": name},
            )
