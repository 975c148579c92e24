"""Keys and certificates that people paste."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from hosts.pem import expiry, faults_of, tidy
from hosts.secrets import Secrets
from tests.lab.certificates import OVER, Authority

AUTHORITY = Authority("The lab")
CA = AUTHORITY.pem.decode()
CERTIFICATE, KEY = (pem.decode() for pem in AUTHORITY.issue("webvirt"))
EXPIRED, EXPIRED_KEY = (pem.decode() for pem in AUTHORITY.issue("webvirt", valid=OVER))
GOOD = {"ca_certificate": CA, "client_certificate": CERTIFICATE, "client_key": KEY}


def key(form: PrivateFormat, password: str = "") -> str:
    lock: Any = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, form, lock).decode()


def faults(**secrets: str) -> dict[str, str]:
    return faults_of(Secrets(**secrets))


def test_certificates_that_go_together_are_taken() -> None:
    assert faults(**GOOD) == {}
    assert faults(ca_certificate=CA + CA) == {}
    assert faults() == {}


@pytest.mark.parametrize("name", ["ca_certificate", "client_certificate", "client_key", "private_key"])
@pytest.mark.parametrize("text", ["x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"])
def test_what_is_none_is_said_at_its_field(name: str, text: str) -> None:
    assert list(faults(**{**GOOD, name: text})) == [name]


def test_a_certificate_in_the_place_of_a_key_is_none() -> None:
    assert list(faults(**{**GOOD, "client_key": CERTIFICATE})) == ["client_key"]
    assert list(faults(**{**GOOD, "client_certificate": KEY})) == ["client_certificate"]


def test_a_clients_certificate_in_the_place_of_the_authoritys_is_refused() -> None:
    assert "not of an authority" in faults(**{**GOOD, "ca_certificate": CERTIFICATE})["ca_certificate"]


def test_a_key_of_another_certificate_is_refused() -> None:
    assert "belong" in faults(**{**GOOD, "client_key": EXPIRED_KEY})["client_key"]


def test_an_expired_certificate_is_refused_with_its_date() -> None:
    told = faults(**{**GOOD, "client_certificate": EXPIRED, "client_key": EXPIRED_KEY})
    assert (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d") in told["client_certificate"]


@pytest.mark.parametrize("missing", ["client_key", "client_certificate", "ca_certificate"])
def test_one_that_lacks_its_other_half_is_refused(missing: str) -> None:
    assert list(faults(**{**GOOD, missing: ""})) == [missing]


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "long word", "-f", str(tmp_path / "id")], check=True)
    assert list(faults(**{**GOOD, "client_key": key(PrivateFormat.PKCS8, "word")})) == ["client_key"]
    assert list(faults(private_key=(tmp_path / "id").read_text())) == ["private_key"]


def test_a_key_of_the_other_kind_is_refused() -> None:
    assert "client_key" in faults(**{**GOOD, "client_key": key(PrivateFormat.OpenSSH)})
    assert list(faults(private_key=key(PrivateFormat.PKCS8))) == ["private_key"]
    assert faults(private_key=key(PrivateFormat.OpenSSH)) == {}


def test_the_end_is_that_of_the_first_to_end() -> None:
    ends = expiry(CA + EXPIRED)
    assert ends is not None and ends < datetime.now(UTC)
    assert expiry("") is None


def test_what_a_browser_sends_is_made_as_programs_read_it() -> None:
    assert tidy("  \r\n-----BEGIN X-----\r\nAAAA  \r\n-----END X-----") == "-----BEGIN X-----\nAAAA\n-----END X-----\n"
    assert tidy(" \r\n ") == ""
