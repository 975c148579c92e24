"""What happens on a host is kept with the moment at which it was heard."""

from uuid import UUID

import pytest
import redis

from hosts import happenings
from hosts.models import Host, HostStatus
from monitor import happenings as monitor_happenings
from monitor import status
from monitor.intake import MOST_HEARD, Intake
from monitor.link import Link
from tests.unit.monitor.conftest import Told
from tests.waiting import wait_for
from virt import domains
from virt.errors import Unreachable
from virt.events import Event

FIRST = UUID("6695eb01-f6a4-8304-79aa-97f2502e193f")


def kept(host: Host) -> list[str]:
    return [one.key for one in happenings.kept(host.pk)]


@pytest.fixture(autouse=True)
def _told_of(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    def publish(type: str, id: int, change: str = "changed") -> None:
        told.append((type, id, change))

    monkeypatch.setattr("monitor.happenings.publish", publish)


def test_what_somebody_does_on_the_host_is_kept_in_its_order(
    link: Link, host: Host, intake: Intake, redis_server: redis.Redis, told: Told
) -> None:
    heard = []

    def heard_all() -> bool:
        heard.extend(intake.take(0.05).heard)
        return {one.event.detail for one in heard} >= {"suspended", "resumed"}

    link.call(domains.suspend, FIRST)
    link.call(domains.resume, FIRST)
    wait_for(heard_all)
    monitor_happenings.take_in(host.pk, heard)
    assert kept(host) == ["instance resumed", "instance suspended"]
    assert happenings.kept(host.pk)[0].ref.name == "first"
    assert told == [("happening", host.pk, "changed")]


def test_what_people_have_no_words_for_is_not_kept(host: Host, redis_server: redis.Redis, told: Told) -> None:
    intake = Intake()
    intake.happened(Event("agent-lifecycle", "domain", FIRST, "first", "connected"))
    intake.happened(Event("lifecycle", "node_device", None, "pci_1", "created"))
    monitor_happenings.take_in(host.pk, intake.take(0).heard)
    assert kept(host) == []
    assert told == []


def test_a_host_that_is_lost_and_comes_back_is_told_once_each(host: Host, redis_server: redis.Redis) -> None:
    status.up(host.pk)
    for _ in range(3):
        status.lost(host.pk, Unreachable(), answered_at=None)
    status.up(host.pk)
    assert kept(host) == ["host up", "host lost", "host up"]


def test_a_host_that_was_never_up_was_not_lost(host: Host, redis_server: redis.Redis) -> None:
    status.lost(host.pk, Unreachable(), answered_at=None)
    assert kept(host) == []


def test_events_that_nobody_takes_do_not_pile_up() -> None:
    intake = Intake()
    for _ in range(MOST_HEARD + 10):
        intake.happened(Event("lifecycle", "domain", FIRST, "first", "started"))
    assert len(intake.take(0).heard) == MOST_HEARD


def test_without_redis_the_reading_goes_on(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hosts.happenings.client", lambda: redis.Redis(unix_socket_path="/nowhere"))
    status.up(host.pk)
    monitor_happenings.of_host(host.pk, "lost")
    assert HostStatus.objects.get(host=host).is_up
