"""What is wrong with TLS certificates, ours or the host's, and who has to mend which."""

import socket
import ssl
from dataclasses import replace
from pathlib import Path

from virt.access import Access
from virt.checklist.line import Line, State, of_error
from virt.errors import VirtError
from virt.transport import Endpoint
from virt.words import gettext_noop

LOOK_SECONDS = 5.0
# Where libvirt looks when it is not told.
CA = Path("/etc/pki/CA/cacert.pem")
CLIENT = Path("/etc/pki/libvirt/clientcert.pem")
# OpenSSL's numbers of what is wrong with a certificate (X509_V_ERR_…).
EXPIRED, NOT_YET = 10, 9
OTHER_NAME = (62, 64)

_ENTER = gettext_noop("Enter it in Webvirt, with the host's address.")
_RENEW = "certtool --certificate-info --infile /etc/pki/libvirt/servercert.pem"


def fault(access: Access, peer: Endpoint, error: VirtError) -> Line | None:
    """The line of what libvirt complains about; None where it is not about certificates."""
    line = _ours(access, error.libvirt) or _theirs(access, peer, error)
    if line is None and any(word in error.libvirt for word in ("certificate", "TLS", "client key")):
        line = of_error("certificates", error)
    return line and replace(line, libvirt=error.libvirt)


def _ours(access: Access, said: str) -> Line | None:
    client = access.pki / "clientcert.pem" if access.pki else CLIENT
    if "Cannot read CA certificate" in said:
        return Line(
            "certificates",
            State.FAILED,
            gettext_noop("the authority's certificate is missing here"),
            gettext_noop("Webvirt cannot tell whether the host's certificate is a good one."),
            _ENTER,
            command="cat /etc/pki/CA/cacert.pem",
            where="host",
        )
    if "client certificate" in said and "has expired" in said:
        return Line(
            "certificates",
            State.FAILED,
            gettext_noop("ours has expired"),
            gettext_noop("The certificate that Webvirt shows to this host is past its end."),
            gettext_noop("Have the host's authority sign a new one, and enter it in Webvirt, with the host's address."),
        )
    if "failed validation against" in said:
        return Line(
            "certificates",
            State.FAILED,
            gettext_noop("ours is not of the authority beside it"),
            gettext_noop("Our certificate was signed by another authority than the one that was entered with it."),
            gettext_noop("Enter the authority's certificate, the client's and its key again; all three go together."),
        )
    if "Unable to read TLS confirmation" not in said:
        return None
    if not client.exists():
        return Line(
            "certificates",
            State.FAILED,
            gettext_noop("ours is missing"),
            gettext_noop("The host lets nobody in without a client certificate, and Webvirt has none for it."),
            gettext_noop("Have the host's authority sign one, and enter it and its key, with the host's address."),
        )
    return Line(
        "certificates",
        State.FAILED,
        gettext_noop("the host refuses ours"),
        gettext_noop("Another authority than the host's own signed it, or its name is not on the host's list."),
        gettext_noop("This shows whom the host trusts; tls_allowed_dn_list in libvirtd.conf narrows it further."),
        command="certtool --certificate-info --infile /etc/pki/CA/cacert.pem",
        where="host",
    )


def _theirs(access: Access, peer: Endpoint, error: VirtError) -> Line | None:
    if "verify peer's certificate" not in error.libvirt:
        return None
    code = _verdict(access, peer)
    if code in (EXPIRED, NOT_YET):
        return Line(
            "certificates",
            State.FAILED,
            gettext_noop("the host's has expired"),
            gettext_noop("The certificate that the host shows is past its end, or one of the two clocks is wrong."),
            gettext_noop("Put a new one in its place and restart libvirt's daemon. This shows the present one:"),
            command=_RENEW,
            where="host",
        )
    if code in OTHER_NAME:
        return Line(
            "certificates",
            State.FAILED,
            gettext_noop("the host's is for another name"),
            gettext_noop("The host's certificate does not name %(host)s, by which Webvirt reaches it."),
            gettext_noop("Use a name that is in the certificate as the address, or have one made for %(host)s:"),
            command=_RENEW,
            where="host",
            params={"host": peer.host},
        )
    return Line(
        "certificates",
        State.FAILED,
        gettext_noop("the host's is of an authority that is not trusted here"),
        gettext_noop("Another authority signed it than the one whose certificate Webvirt has for this host."),
        gettext_noop("Enter the certificate of the host's authority, if it is the right machine. This shows it:"),
        command="cat /etc/pki/CA/cacert.pem",
        where="host",
    )


def _verdict(access: Access, peer: Endpoint) -> int:
    """What OpenSSL finds wrong with the host's certificate, as its number; 0 where it finds nothing, or none."""
    try:
        context = ssl.create_default_context(cafile=str(access.pki / "cacert.pem" if access.pki else CA))
        with (
            socket.create_connection((peer.host, peer.port), timeout=LOOK_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=peer.host),
        ):
            return 0
    except ssl.SSLCertVerificationError as error:
        return error.verify_code
    except OSError:
        return 0
