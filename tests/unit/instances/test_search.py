"""Search finds what one may see, does what one may do, and costs the same however large the fleet is."""

import re
import uuid
from typing import Any

import pytest

from instances.models import Instance
from storage.models import Volume
from tests.unit.world import World, make_instance

LIVE = {"X-Webvirt-Live": "block"}


def choices(world: World, name: str, query: str) -> list[tuple[str, str]]:
    """The title and the address of each hit, the best first; without the tasks', which is always the last."""
    page = world.client(name).get(f"/search/?{query}", headers=LIVE).content.decode()
    found = re.findall(r'data-url="([^"]*)".*?</svg><span>([^<]*)</span>', page)
    return [(title, url) for url, title in found if not url.startswith("/tasks/?q=")]


def titles(world: World, name: str, text: str) -> list[str]:
    return [title for title, _url in choices(world, name, f"q={text}")]


def address(instance: Instance, action: str = "") -> str:
    return f"/instances/{instance.pk}/{action}"


@pytest.mark.parametrize("text", ["web-1", "WEB", "eb-1"])
def test_it_finds_a_guest_by_any_part_of_its_name(world: World, text: str) -> None:
    assert ("web-1", address(world.instance)) in choices(world, "viewer", f"q={text}")


def test_it_finds_a_guest_by_uuid_and_by_mac(world: World) -> None:
    for text in (str(world.instance.uuid), "52:54:00:00:00:01"):
        assert titles(world, "viewer", text)[0] == "web-1"


def test_it_finds_hosts_pools_volumes_networks_and_pages(world: World) -> None:
    assert ("kvm-01", f"/hosts/{world.host.pk}/") in choices(world, "admin", "q=kvm-01")
    assert ("default", f"/storage/{world.pool.pk}/") in choices(world, "admin", "q=default")
    assert ("default", f"/networks/{world.network.pk}/") in choices(world, "admin", "q=default")
    assert ("boot.iso", f"/storage/{world.pool.pk}/?q=boot.iso") in choices(world, "admin", "q=boot")
    assert choices(world, "admin", "q=stor")[0] == ("Storage", "/storage/")
    assert choices(world, "admin", "q=new+inst")[0] == ("New instance", "/instances/create/")
    assert choices(world, "admin", "q=new+net")[0] == ("New network", "/networks/create/")
    assert choices(world, "admin", "q=new+pool")[0] == ("New pool", "/storage/create/")
    assert choices(world, "viewer", "q=token") == [("API tokens", "/accounts/tokens/")]
    assert choices(world, "viewer", "q=change+pass") == [("Change password", "/accounts/password/")]
    assert titles(world, "manager", "new+pool") == []


def test_the_name_itself_comes_before_names_that_hold_it(world: World) -> None:
    for name in ("a-web-1", "web-10", "web-1-old"):
        make_instance(world.host, name)
    guests = [title for title in titles(world, "viewer", "web-1") if "web-1" in title and " " not in title]
    assert guests[0] == "web-1"
    assert guests[-2:] == ["web-1.qcow2", "a-web-1"] or guests[-1] == "a-web-1"


def test_a_stranger_finds_nothing_but_pages(world: World) -> None:
    for text in ("web-1", "kvm-01", "default", "boot", str(world.instance.uuid), "start+web", "upload"):
        assert titles(world, "stranger", text) == []
    assert titles(world, "stranger", "tasks") == ["Tasks"]


def test_it_starts_a_guest_for_who_may(world: World) -> None:
    for text in ("start+web", "start+web-1", "Start", "sta"):
        assert ("Start web-1", address(world.instance, "start/")) in choices(world, "operator", f"q={text}")
        assert "Start web-1" not in titles(world, "viewer", text)


def test_what_is_told_comes_first(world: World) -> None:
    make_instance(world.host, "start web")
    assert titles(world, "operator", "start+web-1")[0] == "Start web-1"


@pytest.mark.parametrize("text", ["shut+web", "shut+down+web-1", "shutdown+web-1", "SHUT"])
def test_the_first_letters_of_a_command_will_do(world: World, text: str) -> None:
    Instance.objects.update(state="running")
    assert titles(world, "operator", text)[0] == "Shut down web-1"


def test_only_what_the_guest_can_do_is_offered(world: World) -> None:
    assert titles(world, "operator", "shut+down+web-1") == []
    assert titles(world, "operator", "console+web-1") == []
    Instance.objects.update(state="running")
    assert titles(world, "operator", "start+web-1") == []
    assert choices(world, "operator", "q=console+web-1")[0][1] == address(world.instance, "console/")
    world.host_is_down()
    assert titles(world, "operator", "shut+down+web-1") == []


def test_deleting_leads_to_its_question(world: World) -> None:
    page = world.client("manager").get("/search/?q=delete+web-1", headers=LIVE).content.decode()
    assert f'data-url="{address(world.instance, "delete/")}"' in page
    assert "data-toast" not in page
    assert titles(world, "operator", "delete+web-1") == []


def test_one_guest_alone_comes_with_what_it_can_do(world: World) -> None:
    assert titles(world, "manager", "web-1")[-2:] == ["Start web-1", "Delete web-1"]
    assert titles(world, "viewer", "web-1")[-1] == "web-1.qcow2"


def test_it_leads_to_uploads_where_one_may(world: World) -> None:
    for text in ("upload", "upl", "upload+def"):
        assert choices(world, "manager", f"q={text}") == [("Upload to default", f"/storage/{world.pool.pk}/upload/")]
        assert titles(world, "operator", text) == []


def test_it_speaks_the_readers_language(world: World) -> None:
    page = world.client("operator").get("/search/?q=启动web", headers={**LIVE, "Accept-Language": "zh-hans"})
    assert f'data-url="{address(world.instance, "start/")}"' in page.content.decode()


def test_before_anything_is_typed_it_offers_what_was_chosen_lately(world: World) -> None:
    keys = [
        f"instance:{world.instance.pk}:start",
        f"network:{world.network.pk}",
        "page:tasks",
        f"volume:{world.iso.pk}",
    ]
    found = choices(world, "operator", "recent=" + ",".join(keys))
    assert [title for title, _url in found[:4]] == ["Start web-1", "default", "Tasks", "boot.iso"]
    assert [title for title, _url in found].count("Tasks") == 1
    stranger = [title for title, _url in choices(world, "stranger", "recent=" + ",".join(keys))]
    assert stranger[0] == "Tasks"
    assert "Start web-1" not in stranger
    Instance.objects.update(state="running")
    assert choices(world, "operator", f"recent={keys[0]}")[0][0] == "Overview"


@pytest.mark.parametrize(
    "query", ["", "q=", "q=%00", "recent=,:,x:,instance:,instance:x,instance:99999999999999999999"]
)
def test_what_asks_for_nothing_gets_the_pages(world: World, query: str) -> None:
    assert [title for title, _url in choices(world, "viewer", query)][:2] == ["Overview", "Instances"]


def test_what_it_finds_is_text_and_nothing_else(world: World) -> None:
    make_instance(world.host, "<b onclick=x>")
    page = world.client("admin").get("/search/?q=%3Cb", headers=LIVE).content.decode()
    assert "<b " not in page


def test_without_scripts_it_is_a_page(world: World) -> None:
    page = world.client("operator").get("/search/?q=web-1").content.decode()
    assert f'<a href="{address(world.instance)}">web-1</a>' in page
    assert f'formaction="{address(world.instance, "start/")}"' in page


@pytest.mark.parametrize("name", ["admin", "manager"])
@pytest.mark.parametrize("text", ["web", "start web", "re", "upload", ""])
def test_it_costs_the_same_for_a_large_fleet(
    world: World, name: str, text: str, django_assert_max_num_queries: Any
) -> None:
    client = world.client(name)
    counts = []
    for start in (100, 200):
        Instance.objects.bulk_create(
            Instance(
                host=world.host, uuid=uuid.uuid4(), name=f"web-{n}", state="running", graphics=world.instance.graphics
            )
            for n in range(start, start + 100)
        )
        Volume.objects.bulk_create(
            Volume(pool=world.pool, name=f"web-{n}.qcow2", path=f"/pool/web-{n}.qcow2")
            for n in range(start, start + 100)
        )
        with django_assert_max_num_queries(20) as found:
            client.get("/search/", {"q": text}, headers=LIVE)
        counts.append(len(found))
    assert counts[0] == counts[1]
