"""Which hosts there are, and by what they are reached: read every few seconds, and followed."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hosts.models import Host, HostStatus
from monitor.link import Link
from monitor.reader import HostReader
from monitor.supervisor import Supervisor
from tasks.runner import words_of
from tests.waiting import wait_for
from virt.errors import TimedOut


@pytest.fixture
def supervisor(transactional_db: None, redis_server: redis.Redis) -> Iterator[Supervisor]:
    """One that has begun to read a host, as its own thread would go round."""
    HostStatus.objects.create(host=Host.objects.create(name="kvm-01", uri="test:///default", notes="long"))
    supervisor = Supervisor()
    supervisor._look_at_hosts()
    supervisor._divide()
    assert len(supervisor._readers) == 1
    yield supervisor
    supervisor._end()


def look_again(supervisor: Supervisor) -> None:
    supervisor._hosts_due = 0.0
    supervisor._look_at_hosts()


def test_what_is_written_about_hosts_is_not_read_every_few_seconds(supervisor: Supervisor) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        look_again(supervisor)
    assert len(asked) == 1
    assert "uri" in asked[0]["sql"] and "notes" not in asked[0]["sql"]


@pytest.mark.parametrize(
    ("field", "value"), [("uri", "test:///other"), ("sealed", "another"), ("host_key", "ssh-ed25519 AAAA")]
)
def test_a_host_that_is_reached_in_another_way_is_connected_to_anew(
    supervisor: Supervisor, field: str, value: str
) -> None:
    before = next(iter(supervisor._readers.values()))
    Host.objects.update(**{field: value})
    look_again(supervisor)
    assert not supervisor._readers
    wait_for(lambda: supervisor._divide() or supervisor._readers)
    (after,) = supervisor._readers.values()
    assert after is not before and getattr(after.host, field) == value


def test_a_host_that_is_only_described_otherwise_stays_connected(supervisor: Supervisor) -> None:
    before = dict(supervisor._readers)
    Host.objects.update(notes="other", maintenance=True)
    look_again(supervisor)
    assert supervisor._readers == before


def test_what_was_wrong_at_the_old_address_is_not_said_of_the_new_one(
    transactional_db: None, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = threading.Event(), threading.Event()
    open_host = HostReader._open

    def waits(reader: HostReader, *args: Any) -> Link:
        if "nobody" in reader.host.uri:
            asked.set()
            assert answers.wait(30)
        return open_host(reader, *args)

    monkeypatch.setattr(HostReader, "_open", waits)
    host = Host.objects.create(name="kvm-01", uri="qemu+tcp://nobody.invalid/system")
    HostStatus.objects.create(host=host, state="down", error=words_of(TimedOut()))
    supervisor = Supervisor()
    supervisor._look_at_hosts()
    supervisor._divide()
    assert asked.wait(10)
    (before,) = supervisor._readers.values()

    Host.objects.update(uri="test:///default")
    look_again(supervisor)
    status = HostStatus.objects.get()
    assert (status.state, status.error) == ("connecting", None)

    # Nor does it come back with the answer that the old one gives at last.
    answers.set()
    assert before.join(20)
    status.refresh_from_db()
    assert (status.state, status.error) == ("connecting", None)
    supervisor._end()
