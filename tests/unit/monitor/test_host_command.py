"""Hosts from the shell."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from hosts.keys import own_public_key
from hosts.models import Host, HostStatus
from hosts.secrets import unseal
from monitor import status
from tests.unit.hosts.connecting import NEW, OLD, SSH, shows
from tests.unit.hosts.test_pem import GOOD
from tests.unit.world import person
from virt.errors import TimedOut


@pytest.fixture
def admin(db: None) -> None:
    person("admin", is_superuser=True)


def test_a_host_is_added(admin: None) -> None:
    call_command("host", "add", "kvm-01", "qemu:///system", stdout=StringIO())
    host = Host.objects.get()
    assert (host.name, host.uri, host.status.state) == ("kvm-01", "qemu:///system", HostStatus.State.CONNECTING)


def test_a_name_that_is_taken_is_said_in_words(admin: None) -> None:
    call_command("host", "add", "kvm-01", "qemu:///system", stdout=StringIO())
    with pytest.raises(CommandError, match="already"):
        call_command("host", "add", "kvm-01", "test:///default", stdout=StringIO())


def test_without_an_administrator_it_says_what_to_do_first(db: None) -> None:
    with pytest.raises(CommandError, match="administrator"):
        call_command("host", "add", "kvm-01", "qemu:///system", stdout=StringIO())


def test_the_list_says_how_each_host_is(admin: None) -> None:
    call_command("host", "add", "kvm-01", "qemu:///system", stdout=StringIO())
    status.lost(Host.objects.get().pk, TimedOut(), answered_at=None)
    out = StringIO()
    call_command("host", "list", stdout=out)
    assert "kvm-01" in out.getvalue()
    assert "down" in out.getvalue()
    assert "no answer in time" in out.getvalue()


def test_a_password_comes_by_standard_input(admin: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("two words \r\n"))
    call_command("host", "add", "t", "qemu+tcp://mei@h/system", "--password-stdin", stdout=StringIO())
    assert unseal(Host.objects.get().sealed).password == "two words "


def test_keys_and_certificates_come_from_files(admin: None, tmp_path: Path) -> None:
    files = []
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
        files += [f"--{name.replace('_', '-')}", str(tmp_path / name)]
    call_command("host", "add", "t", "qemu+tls://h/system", *files, stdout=StringIO())
    assert unseal(Host.objects.get().sealed).known == set(GOOD)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x"])
def test_a_file_that_cannot_be_used_is_said_in_words(admin: None, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "id").write_bytes(content)
    with pytest.raises(CommandError):
        call_command("host", "add", "t", SSH, "--private-key", str(tmp_path / "id"), stdout=StringIO())
    assert not Host.objects.exists()


def test_words_about_a_file_say_which(admin: None, tmp_path: Path) -> None:
    (tmp_path / "ca").write_bytes(b"\x7fELF\xd0")
    with pytest.raises(CommandError, match="^--ca-certificate: This is no certificate"):
        call_command("host", "add", "t", "qemu+tls://h/system", "--ca-certificate", str(tmp_path / "ca"))


def test_our_key_is_printed_alone() -> None:
    out = StringIO()
    call_command("host", "key", stdout=out)
    assert out.getvalue() == own_public_key() + "\n"


def test_a_key_is_trusted_by_the_fingerprint_that_the_host_shows(admin: None, monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("host", "add", "t", SSH, stdout=StringIO())
    shows(monkeypatch, OLD)
    with pytest.raises(CommandError, match="does not show"):
        call_command("host", "trust", "t", NEW.fingerprint, stdout=StringIO())
    assert Host.objects.get().host_key == ""
    call_command("host", "trust", "t", OLD.fingerprint, stdout=StringIO())
    assert Host.objects.get().host_key == str(OLD)
    with pytest.raises(CommandError, match="no host"):
        call_command("host", "trust", "other", OLD.fingerprint, stdout=StringIO())
