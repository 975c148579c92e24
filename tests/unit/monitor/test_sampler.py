"""Figures reach Redis, and the pages hear of them."""

import time

import pytest
import redis

from hosts import figures
from hosts.models import Host
from instances.models import Instance
from monitor import guests
from monitor.figures import Sampler
from monitor.intake import Intake
from monitor.link import Link
from tests.unit.monitor.conftest import Told
from tests.waiting import wait_for


def take(sampler: Sampler, link: Link, intake: Intake) -> None:
    sampler.begin(link, link, intake)
    [take_in] = wait_for(lambda: intake.take(0.1).answers)
    take_in()


def test_figures_of_guests_and_host_are_stored_and_told(
    link: Link, host: Host, intake: Intake, told: Told, redis_server: redis.Redis
) -> None:
    guests.sync_list(link, host.pk)
    told.clear()
    sampler = Sampler(host.pk)
    take(sampler, link, intake)
    take(sampler, link, intake)
    row = Instance.objects.get()
    assert set(figures.latest("instance", [row.pk])[row.pk]) >= {"cpu_percent", "memory_used_bytes", "net_rx_rate"}
    assert set(figures.latest("host", [host.pk])[host.pk]) == {"cpu_percent", "memory_used_bytes", "memory_free_bytes"}
    assert set(told) == {("figures", host.pk, "changed")}


def test_each_minute_leaves_a_point_in_the_hour(
    link: Link, host: Host, intake: Intake, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests.sync_list(link, host.pk)
    sampler = Sampler(host.pk)
    clock = 600.0
    monkeypatch.setattr(time, "time", lambda: clock)
    take(sampler, link, intake)
    clock = 660.0
    take(sampler, link, intake)
    row = Instance.objects.get()
    assert [minute for minute, _values in figures.hour("instance", [row.pk])[row.pk]] == [10]
    assert [minute for minute, _values in figures.hour("host", [host.pk])[host.pk]] == [10]


def test_without_redis_the_reading_goes_on(
    link: Link, host: Host, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(figures, "store", away)
    guests.sync_list(link, host.pk)
    take(Sampler(host.pk), link, intake)
