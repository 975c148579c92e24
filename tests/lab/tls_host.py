"""A host that is reached by TLS, with a certificate authority of its own."""

import shutil
from pathlib import Path
from typing import Literal

from tests.lab.certificates import LATER, NOW, OVER, Authority, Span, lay_down
from tests.lab.host import Host

Who = Literal["known", "expired", "early", "foreign", "mixed", "stranger", "outdated", "swapped", "rubbish", "nobody"]


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

    def use_certificate(self, *, address: str = "", valid: Span = NOW) -> None:
        """Give the host a certificate, for another address or time; it counts from the daemon's next start.

        With one that is not valid now libvirtd does not start.
        """
        certificate, key = self.authority.issue(self.hostname, address or self.address, valid=valid)
        pki = self.etc / "pki"
        lay_down(pki / "CA", {"cacert.pem": self.authority.pem})
        lay_down(pki / "libvirt", {"servercert.pem": certificate, "private/serverkey.pem": key})

    def client(self, who: Who) -> Path:
        """A folder for `pkipath=`: cacert.pem, clientcert.pem, clientkey.pem.

        "expired", "early": ours ran out yesterday, or begins tomorrow; "foreign": another authority signed ours,
        which only the host can notice; "mixed": ours is not of the authority beside it; "stranger": all is of
        another authority than the host's; "outdated": of one that ran out, too; "swapped": the key is not the
        certificate's; "rubbish": no certificate at all; "nobody": only the authority's, none of ours.
        """
        other = Authority("Somebody else", valid=OVER if who == "outdated" else NOW)
        signer = other if who in ("foreign", "mixed", "stranger", "outdated") else self.authority
        valid = {"expired": OVER, "early": LATER}.get(who, NOW)
        certificate, key = signer.issue("webvirt", valid=valid)
        trusted = {"foreign": self.authority.pem + other.pem, "stranger": other.pem, "outdated": other.pem}.get(
            who, self.authority.pem
        )
        files = {"cacert.pem": trusted, "clientcert.pem": certificate, "clientkey.pem": key}
        match who:
            case "swapped":
                files["clientkey.pem"] = signer.issue("webvirt")[1]
            case "rubbish":
                files["clientcert.pem"] = b"rubbish"
            case "nobody":
                files = {"cacert.pem": trusted}
        folder = self.folder / "clients" / who
        shutil.rmtree(folder, ignore_errors=True)
        return lay_down(folder, files)
