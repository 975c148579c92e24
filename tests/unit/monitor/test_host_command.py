"""Hosts from the shell."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from hosts.models import Host, HostStatus
from monitor import status
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
