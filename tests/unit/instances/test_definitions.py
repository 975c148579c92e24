"""A host that came back: lists, pages and the API say which definitions may be older than that, or are not read yet."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from hosts.models import HostStatus
from instances.models import Instance
from tests.unit.world import HEARD, World

READ_AT = re.compile(r"as read at (2026-11-24 )?12:03 or later")
NOT_READ = "not read yet"


def come_back(world: World, *, synced: bool = True) -> None:
    """The host was reached a minute after all of it was read last, or, without `synced`, for the first time."""
    HostStatus.objects.filter(host=world.host).update(
        since=HEARD + timedelta(minutes=1), synced_at=HEARD if synced else None
    )


def shown(world: World, url: str) -> str:
    page = world.client("viewer").get(url)
    assert page.status_code == 200
    return unescape(" ".join(re.sub(r"<[^>]*>", "", page.content.decode()).split()))


def told(world: World, path: str) -> Any:
    return world.client("viewer").get(f"/api/v1/{path}").json()


def places(world: World) -> list[str]:
    host = world.host.pk
    return [
        f"/instances/?host={host}", f"/instances/?host={host}&block=on_host",
        f"/storage/?host={host}", f"/storage/{world.pool.pk}/",
        f"/networks/?host={host}", f"/networks/{world.network.pk}/",
    ]  # fmt: skip


def test_what_was_read_before_the_host_came_back_says_of_when_it_is(world: World, settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    assert not [url for url in places(world) if READ_AT.search(shown(world, url))]
    come_back(world)
    assert [url for url in places(world) if not READ_AT.search(shown(world, url))] == []
    come_back(world, synced=False)
    assert [url for url in places(world) if "being read" not in shown(world, url)] == []


def test_the_guests_of_other_hosts_say_nothing(world: World) -> None:
    come_back(world)
    Instance.objects.update(host=world.other_host)
    page = world.client("admin").get("/instances/").content.decode()
    assert "web-1" in page and "as read at" not in page


def test_a_guest_that_was_never_read_has_no_processors_instead_of_none(world: World) -> None:
    come_back(world, synced=False)
    Instance.objects.update(state="running", vcpus=0, memory_bytes=0, xml="", inactive_xml="", disks=[], graphics=[])
    row = shown(world, f"/instances/?host={world.host.pk}")
    assert NOT_READ in row and "0 B" not in row
    page = shown(world, f"/instances/{world.instance.pk}/")
    assert "Its definition has not been read yet." in page and "of 0" not in page


@pytest.mark.parametrize("path", ["instances", "pools", "networks"])
def test_a_program_is_told_the_same(world: World, path: str) -> None:
    def definitions() -> set[str]:
        return {one["definition"] for one in told(world, f"{path}/")["results"]}

    assert definitions() == {"read"}
    assert told(world, "hosts/")["results"][0]["definitions"] == "read"
    come_back(world)
    assert definitions() == {"last_known"}
    assert told(world, "hosts/")["results"][0]["definitions"] == "last_known"
    world.host_is_down()
    assert definitions() == {"last_known"}


def test_a_program_is_told_which_guests_were_never_read(world: World) -> None:
    Instance.objects.update(vcpus=0)
    assert told(world, f"instances/{world.instance.pk}/")["definition"] == "unread"
