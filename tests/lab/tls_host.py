"""A host that is reached by TLS, with a certificate authority of its own."""

from pathlib import Path
from typing import Literal

from tests.lab.certificates import Authority, lay_down
from tests.lab.host import Host

Who = Literal["known", "expired", "foreign", "mixed", "stranger"]


class TlsHost(Host):
    """libvirtd with --listen on TLS; `client(who)` has certificates for the other end."""

    name = "tls-1"
    port = 16514
    listens = "tls"

    @property
    def uri(self) -> str:
        return f"qemu+tls://{self.address}/system"

    def libvirtd_conf(self) -> dict[str, str | int]:
        return {"listen_tls": 1, "auth_tls": "none"}

    def qemu_conf(self) -> str:
        return super().qemu_conf() + f'vnc_listen = "{self.address}"\n'

    def prepare(self) -> None:
        self.authority = Authority("The lab")
        self.use_certificate()

    def use_certificate(self, *, address: str = "", expired: bool = False, authority: Authority | None = None) -> None:
        """Give the host a certificate; it counts from the daemon's next start."""
        signer = authority or self.authority
        certificate, key = signer.issue(self.hostname, address or self.address, expired=expired)
        pki = self.etc / "pki"
        lay_down(pki / "CA", {"cacert.pem": self.authority.pem})
        lay_down(pki / "libvirt", {"servercert.pem": certificate, "private/serverkey.pem": key})

    def client(self, who: Who) -> Path:
        """A folder for `pkipath=`: cacert.pem, clientcert.pem, clientkey.pem.

        "expired": ours ran out yesterday; "foreign": another authority signed ours, which only the host can
        notice; "mixed": ours is not of the authority beside it; "stranger": all is of another authority
        than the host's.
        """
        other = Authority("Somebody else")
        signer = self.authority if who in ("known", "expired") else other
        certificate, key = signer.issue("webvirt", expired=who == "expired")
        trusted = {"foreign": self.authority.pem + other.pem, "stranger": other.pem}.get(who, self.authority.pem)
        return lay_down(
            self.folder / "clients" / who, {"cacert.pem": trusted, "clientcert.pem": certificate, "clientkey.pem": key}
        )
