"""The pages of hosts: how they do, and why one is silent."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hosts import figures
from hosts.models import Device, Host, HostStatus
from instances.models import Instance
from tests.unit.world import GIB, World, grant, make_host, make_instance, make_task


def page(world: World, name: str, url: str, **headers: str) -> str:
    answer = world.client(name).get(url, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def names(text: str) -> list[str]:
    return re.findall(r'<a class="name" href="/hosts/\d+/">([^<]+)</a>', text)


def test_the_list_shows_each_host_with_its_figures(world: World, redis_server: redis.Redis) -> None:
    minute = int(time.time()) // 60
    for ago in (2, 1):
        values = {world.host.pk: {"cpu_percent": 38.0, "memory_used_bytes": 4.0 * GIB}}
        figures.store("host", values, minute=minute - ago)
    text = page(world, "admin", "/hosts/")
    assert names(text) == ["kvm-01", "kvm-02"]
    assert ">38 %<" in text
    assert "4.00 GiB" in text
    assert "of 16.0 GiB" in text
    assert "libvirt 9.0.0" in text
    assert re.search(r'<svg class="spark"[^>]*>.*?<path class="l"', text), "its last hour"


def test_what_is_not_known_is_a_dash_and_not_nought(world: World, redis_server: redis.Redis) -> None:
    text = page(world, "admin", "/hosts/")
    assert ">0 %<" not in text
    assert f'data-figure="host:{world.host.pk}:cpu_percent" data-format="percent">–<' in text


def test_a_silent_host_says_since_when_and_why(world: World) -> None:
    world.host_is_down()
    for url in ("/hosts/", f"/hosts/{world.host.pk}/"):
        text = page(world, "viewer", url)
        assert "Not reachable" in text
        assert "There is no connection to libvirt on this host." in text
    assert "Check that the host is on." in page(world, "viewer", f"/hosts/{world.host.pk}/")


def test_a_host_of_which_a_daemon_is_away_is_up_and_says_so(world: World) -> None:
    world.part_is_away("virtnodedevd")
    text = page(world, "viewer", f"/hosts/{world.host.pk}/")
    assert '<span class="st st-run">Up</span>' in text
    assert "virtnodedevd does not run on the host." in text
    assert "is shown as last known" in text


def test_one_host_tells_what_it_is(world: World) -> None:
    HostStatus.objects.filter(host=world.host).update(kvm=False, kvm_reason="This host offers no KVM.")
    text = page(world, "viewer", f"/hosts/{world.host.pk}/")
    for words in ("EPYC", "x86_64", "QEMU 7.2.0", "None: QEMU emulates", "This host offers no KVM.", "0 of 1 run"):
        assert words in text


def test_a_host_that_came_back_says_that_definitions_are_older(world: World) -> None:
    urls = f"/hosts/{world.host.pk}/", f"/instances/{world.instance.pk}/"
    reading = "Definitions are being read again; those not read yet are of"
    since = datetime(2026, 5, 4, 12, 3, tzinfo=UTC)
    for synced, shown in ((since - timedelta(seconds=1), True), (since + timedelta(seconds=1), False)):
        HostStatus.objects.filter(host=world.host).update(since=since, synced_at=synced)
        assert [reading in page(world, "viewer", url) for url in urls] == [shown, shown]
    world.host_is_down()
    assert not any(reading in page(world, "viewer", url) for url in urls)


def test_whoever_sees_one_guest_is_not_told_how_many_there_are(world: World) -> None:
    make_instance(world.host, "secret-1")
    grant(world.stranger, "viewer", "instance", world.host, world.instance.uuid)
    text = page(world, "stranger", f"/hosts/{world.host.pk}/")
    assert "of 2 run" not in text
    assert not re.search(r'Guests <span class="n', text)
    assert names(page(world, "stranger", "/hosts/")) == ["kvm-01"]


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["kvm-01", "kvm-02"]),
        ("?sort=-name", ["kvm-02", "kvm-01"]),
        ("?sort=guests", ["kvm-02", "kvm-01"]),
        ("?sort=-guests", ["kvm-01", "kvm-02"]),
        ("?sort=nope", ["kvm-01", "kvm-02"]),
        ("?q=02", ["kvm-02"]),
        ("?q=zebra", []),
        ("?sort=-promised", ["kvm-01", "kvm-02"]),
        ("?sort=-version", ["kvm-02", "kvm-01"]),
        ("?state=down", ["kvm-02"]),
        ("?maintenance=1", ["kvm-01"]),
        ("?maintenance=0&state=up", []),
        ("?page=2", ["kvm-01", "kvm-02"]),
    ],
)
def test_the_query_string_sorts_and_narrows(world: World, query: str, order: list[str]) -> None:
    Instance.objects.update(state="running")
    Host.objects.filter(pk=world.host.pk).update(maintenance=True)
    HostStatus.objects.filter(host=world.other_host).update(state="down", libvirt_version="10.0.0")
    assert names(page(world, "admin", f"/hosts/{query}")) == order


def test_a_host_tells_what_it_promised_to_whoever_may_know(world: World, redis_server: redis.Redis) -> None:
    make_instance(world.host, "web-2", state="running")
    make_instance(world.host, "web-3", state="paused")
    text = page(world, "viewer", "/hosts/")
    assert "1/3" in text
    assert "4.00 promised, 6.00 if all ran" in text
    grant(world.stranger, "viewer", "instance", world.host, world.instance.uuid)
    assert "promised" not in page(world, "stranger", "/hosts/")


def test_many_hosts_are_shown_a_page_at_a_time(world: World) -> None:
    for number in range(60):
        make_host(f"h-{number:02}")
    assert len(names(page(world, "admin", "/hosts/"))) == 25
    assert names(page(world, "admin", "/hosts/?page=3"))[-1] == "kvm-02"
    assert len(names(page(world, "admin", "/hosts/?per_page=100"))) == 62


def test_devices_are_narrowed_by_kind_and_text(world: World) -> None:
    client = world.client("viewer")
    url = f"/hosts/{world.host.pk}/"
    assert "?tab=devices" not in client.get(url).content.decode(), "a driver that tells of none has no such part"
    Device.objects.create(host=world.host, name="pci_1", kind="pci", title="Acme GPU", address="0000:3b:00.0")
    Device.objects.create(host=world.host, name="block_sda", kind="disk", title="", address="/dev/sda", size_bytes=GIB)
    text = client.get(f"{url}?tab=devices").content.decode()
    for words in ("Acme GPU", "0000:3b:00.0", "block_sda", "1.00 GiB"):
        assert words in text
    assert "block_sda" not in client.get(f"{url}?tab=devices&kind=pci").content.decode()
    assert "Acme" not in client.get(f"{url}?tab=devices&q=SDA").content.decode()
    assert "No device matches" in client.get(f"{url}?tab=devices&q=zebra").content.decode()


@pytest.mark.parametrize(
    ("tab", "url", "words"),
    [
        ("guests", "/instances/", "web-1"),
        ("pools", "/storage/", "default"),
        ("networks", "/networks/", "br0"),
    ],
)
def test_what_lies_on_a_host_comes_from_its_own_room(world: World, tab: str, url: str, words: str) -> None:
    text = page(world, "viewer", f"/hosts/{world.host.pk}/?tab={tab}")
    address = f"{url}?host={world.host.pk}&amp;block=on_host"
    assert f'data-live-url="{address}" data-live-first' in text
    part = page(world, "viewer", address.replace("&amp;", "&"))
    assert words in part
    assert "<html" not in part
    assert words not in page(world, "admin", f"{url}?host={world.other_host.pk}&block=on_host")
    world.host_is_down()
    assert "not heard since" in page(world, "viewer", address.replace("&amp;", "&"))


@pytest.mark.parametrize("tab", ["overview", "devices", "events"])
def test_the_page_of_a_host_costs_the_same_however_much_it_has(
    world: World, tab: str, django_assert_num_queries: Any
) -> None:
    client = world.client("viewer")
    url = f"/hosts/{world.host.pk}/?tab={tab}"
    with CaptureQueriesContext(connection) as before:
        client.get(url)
    for number in range(30):
        make_task(world.operator, make_instance(world.host, f"m-{number}"), state="succeeded")
        Device.objects.create(host=world.host, name=f"pci_{number}", kind="pci")
    with django_assert_num_queries(len(before)):
        client.get(url)


def test_a_live_page_gets_the_rows_that_it_asks_for(world: World) -> None:
    text = page(world, "admin", f"/hosts/?ids={world.other_host.pk}", **{"X-Webvirt-Live": "rows"})
    assert names(text) == ["kvm-02"]
    assert "<html" not in text
    assert "<html" not in page(world, "admin", f"/hosts/{world.host.pk}/?block=overview")


def test_the_list_costs_the_same_however_long_it_is(world: World, django_assert_max_num_queries: Any) -> None:
    client = world.client("admin")
    counts = []
    for many in (5, 95):
        for number in range(many):
            make_host(f"h-{many}-{number}")
        with django_assert_max_num_queries(30) as found:
            client.get("/hosts/?per_page=200")
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_an_hour_is_an_hour_long_whatever_was_measured() -> None:
    now = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
    minute = int(now.timestamp()) // 60
    points = [(minute - 2, {"cpu_percent": 1.0}), (minute, {"cpu_percent": 3.0})]
    line = figures.line(points, "cpu_percent", now)
    assert (len(line), line[-3:], line[0]) == (60, [1.0, None, 3.0], None)
    assert figures.line([], "cpu_percent", now) == [None] * 60
    assert figures.line(points[:1], "cpu_percent", now, {"cpu_percent": 5.0})[-3:] == [1.0, None, 5.0]


def test_a_minute_that_has_just_ended_is_no_gap() -> None:
    now = datetime(2026, 11, 24, 12, 0, 4, tzinfo=UTC)
    points = [(int(now.timestamp()) // 60 - 2, {"cpu_percent": 1.0})]
    assert figures.line(points, "cpu_percent", now, {"cpu_percent": 5.0})[-3:] == [1.0, 5.0, 5.0]
