"""Addresses in parts, as people fill them in, and the URI that they make."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlencode, urlsplit

from django.utils.translation import gettext as _

from virt.access import HOST


class How(StrEnum):
    """How a host is reached; OWN is an address that is written out."""

    LOCAL = "local"
    SSH = "ssh"
    TCP = "tcp"
    TLS = "tls"
    OWN = "own"


@dataclass(frozen=True)
class Parts:
    """A QEMU host's address in parts.

    `session` is one user's own libvirt, `socket` its path where it is not the usual one.
    """

    how: How
    host: str = ""
    port: int | None = None
    user: str = ""
    socket: str = ""
    session: bool = False

    @property
    def uri(self) -> str:
        """The address as libvirt takes it."""
        named = self.how.value if self.how != How.LOCAL else "unix" if self.socket else ""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        query = f"?{urlencode({'socket': self.socket}, safe='/', quote_via=quote)}" if self.socket else ""
        path = "session" if self.session else "system"
        return f"qemu{'+' if named else ''}{named}://{user}{host}{port}/{path}{query}"

    @classmethod
    def of(cls, uri: str) -> "Parts | None":
        """The parts that make exactly this address; None where it says more than they can."""
        try:
            parts = urlsplit(uri)
            named = parts.scheme.partition("+")[2]
            how = How(named) if named not in ("", "unix") else How.LOCAL
            found = cls(
                how,
                host=parts.hostname or "",
                port=parts.port,
                user=unquote(parts.username or ""),
                socket=unquote(parts.query.removeprefix("socket=")),
                session=parts.path == "/session",
            )
        except ValueError:
            return None
        return found if found.uri == uri and bool(found.host) == (how != How.LOCAL) else None


def fault_of_host(host: str) -> str:
    """What is wrong with a machine's name or IP address, in words; "" where nothing is."""
    if ":" in host:
        try:
            ip_address(host)
        except ValueError:
            return _("Write its name or IP address alone: the port has a field of its own.")
    return "" if HOST.fullmatch(host) and "%" not in host else _("Write its name or IP address, as kvm-04.example.com.")
