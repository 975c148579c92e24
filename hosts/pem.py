"""Keys and certificates that people paste: whether they can be used, and how long."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from hosts.keys import CANNOT, public_key_of
from hosts.secrets import Secrets


def tidy(text: str) -> str:
    """Pasted text as programs read it: browsers send line ends of another kind, and ssh wants one at the end."""
    lines = text.strip().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def faults_of(secrets: Secrets) -> dict[str, str]:
    """What is wrong with keys and certificates, in words, by the secret's name."""
    found = {
        "private_key": _fault_of_ssh_key(secrets.private_key),
        "ca_certificate": _fault_of_certificates(secrets.ca_certificate) or _fault_of_authority(secrets.ca_certificate),
        "client_certificate": _fault_of_certificates(secrets.client_certificate),
        "client_key": _fault_of_key(secrets.client_key),
    }
    faults = {name: words for name, words in found.items() if words}
    return faults or _faults_between(secrets)


def expiry(pem: str) -> datetime | None:
    """When the first of these certificates ends; None where there is none."""
    return min((one.not_valid_after_utc for one in _certificates(pem)), default=None) if pem else None


def _fault_of_ssh_key(text: str) -> str:
    try:
        if text:
            public_key_of(text)
    except CANNOT:
        return _("This is no private key that Webvirt can use: OpenSSH's own form, without a passphrase.")
    return ""


def _fault_of_certificates(text: str) -> str:
    try:
        ends = expiry(text)
    except CANNOT:
        return _("This is no certificate: PEM begins with -----BEGIN CERTIFICATE-----.")
    if ends is not None and ends <= datetime.now(UTC):
        return _("It expired on %(date)s.") % {"date": formats.date_format(timezone.localtime(ends), "Y-m-d")}
    return ""


def _fault_of_authority(text: str) -> str:
    """Of certificates that can be read: whether one says itself that it is no authority's."""
    for certificate in _certificates(text) if text else ():
        try:
            basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            continue
        if not basic.value.ca:
            return _("This is the certificate of a machine or of a user, not of an authority.")
    return ""


def _fault_of_key(text: str) -> str:
    try:
        if text:
            _key(text)
    except CANNOT:
        return _("This is no private key that Webvirt can use: PEM, without a passphrase.")
    return ""


def _faults_between(secrets: Secrets) -> dict[str, str]:
    """What is wrong with certificates that are each good by themselves."""
    certificate, key = secrets.client_certificate, secrets.client_key
    faults = {}
    if certificate and not key:
        faults["client_key"] = _("A certificate is shown with its key: give that too.")
    if key and not certificate:
        faults["client_certificate"] = _("A key is shown with its certificate: give that too.")
    if certificate and key and _certificates(certificate)[0].public_key() != _key(key).public_key():
        faults["client_key"] = _("This key does not belong to the certificate.")
    if (certificate or key) and not secrets.ca_certificate:
        faults["ca_certificate"] = _("Give this one too: libvirt reads all of them here, or none.")
    return faults


def _certificates(pem: str) -> Sequence[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode())


def _key(pem: str) -> PrivateKeyTypes:
    # OpenSSH's form, which is read here too, is none that TLS knows.
    if "OPENSSH" in pem:
        raise ValueError("not a key for TLS")
    return load_pem_private_key(pem.encode(), password=None)
