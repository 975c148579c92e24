"""What is said of a host: its state, since when, and why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hosts.models import Host, HostStatus
from monitor import status
from monitor.link import Link
from tests.unit.monitor.conftest import Told
from virt import hosts
from virt.errors import Denied, HostKeyUnknown, TimedOut, Unreachable, VirtError

HEARD = 1_700_000_000.0


def row(host: Host) -> HostStatus:
    return HostStatus.objects.get(host=host)


def test_a_dark_host_is_down_since_it_was_lost_with_words(host: Host, told: Told) -> None:
    status.up(host.pk)
    assert told == [("host", host.pk, "changed")]
    status.lost(host.pk, TimedOut(libvirt="keepalive timeout"), answered_at=HEARD)
    found = row(host)
    assert found.state == "down"
    assert found.error["code"] == "timed_out"
    assert found.error["libvirt"] == "keepalive timeout"
    assert found.last_seen.timestamp() == HEARD
    assert found.why


def test_a_host_that_stays_dark_keeps_its_since_and_is_told_once(host: Host, told: Told) -> None:
    status.lost(host.pk, Unreachable(), answered_at=HEARD)
    since = row(host).since
    told.clear()
    status.lost(host.pk, Unreachable(), answered_at=None)
    assert row(host).since == since
    assert told == []


@pytest.mark.parametrize("error", [Denied(), HostKeyUnknown()])
def test_what_waiting_does_not_mend_is_refused(host: Host, error: VirtError) -> None:
    status.lost(host.pk, error, answered_at=None)
    assert row(host).state == "refused"


def test_a_new_monitor_has_yet_to_see_a_host_that_was_up(host: Host) -> None:
    status.up(host.pk)
    status.connecting(host.pk)
    assert row(host).state == "connecting"


def test_a_new_monitor_leaves_a_dark_host_dark(host: Host) -> None:
    status.lost(host.pk, Unreachable(), answered_at=HEARD)
    status.connecting(host.pk)
    assert row(host).state == "down"


def test_up_again_has_no_error(host: Host) -> None:
    status.lost(host.pk, Unreachable(), answered_at=HEARD)
    status.up(host.pk)
    assert row(host).state == "up"
    assert row(host).error is None


def test_it_says_what_the_host_is(host: Host, link: Link) -> None:
    assert not status.has_facts(host.pk)
    status.facts(host.pk, link.call(hosts.describe))
    assert row(host).driver == "TEST"
    assert row(host).cpus > 0
    assert status.has_facts(host.pk)


def test_a_host_that_was_removed_meanwhile_is_no_fault(host: Host) -> None:
    pk = host.pk
    host.delete()
    status.up(pk)
    status.agrees(pk)
    assert not HostStatus.objects.exists()


def test_all_is_read_of_a_host_that_was_reached_before_the_clock_was_put_back(host: Host) -> None:
    status.up(host.pk)
    HostStatus.objects.update(since=timezone.now() + timedelta(hours=1))
    status.agrees(host.pk)
    assert not row(host).reads_definitions
