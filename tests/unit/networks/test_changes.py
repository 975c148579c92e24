"""Asking for a change of a network: by whom, in which state, and what is said before."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from networks.forms import places_of
from networks.models import Attachment, Lease, Network
from tasks.models import Task
from tests.unit.world import World, make_instance


@pytest.fixture(autouse=True)
def nothing_asked_yet(world: World) -> None:
    Task.objects.all().delete()


def attach(world: World, *, running: bool) -> None:
    Attachment.objects.create(
        host=world.host, network_name="default", mac="52:54:00:00:00:01", instance_uuid=world.instance.uuid,
        instance_name="web-1", running=running,
    )  # fmt: skip


def form(**changes: Any) -> dict[str, Any]:
    return {"name": "lab", "mode": "nat", "subnet": "192.168.150.0/24", "dhcp": "on", "start": "on", **changes}


def url(world: World, verb: str) -> str:
    return f"/networks/{world.network.pk}/{verb}/"


def test_a_new_network_is_asked_for_and_its_task_is_shown(world: World) -> None:
    answer = world.client("manager").post("/networks/create/", form(host=world.host.pk))
    task = Task.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/tasks/{task.pk}/")
    assert (task.kind, task.title) == ("networks.create", "Make the network lab")
    assert task.arguments["own"] == "192.168.150.1/24"
    assert (task.arguments["start"], task.arguments["autostart"]) == (True, False)
    assert task.object_uuid is not None


def test_a_new_network_starts_with_a_range_that_is_free(world: World) -> None:
    shown = world.client("manager").get("/networks/create/").content.decode()
    assert 'value="192.168.124.0/24"' in shown
    assert 'data-bridges="br0"' in shown
    assert "kvm-02" not in shown  # not theirs to manage


def test_what_is_wrong_is_marked_at_its_field_and_what_was_written_stays(world: World) -> None:
    answer = world.client("manager").post(
        "/networks/create/", form(host=world.host.pk, subnet="192.168.122.0/24", domain="lab.example")
    )
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert "is taken by the network default" in shown
    assert 'aria-invalid="true"' in shown
    assert "lab.example" in shown
    assert not Task.objects.exists()


def test_what_the_mode_does_not_have_is_left_out(world: World) -> None:
    world.client("manager").post("/networks/create/", form(host=world.host.pk, mode="bridge", bridge="br0"))
    task = Task.objects.get()
    assert (task.arguments["forward"], task.arguments["bridge"], task.arguments["own"]) == ("bridge", "br0", "")


def test_addresses_that_are_not_given_out_are_left_out(world: World) -> None:
    asked = form(host=world.host.pk, dhcp_first="192.168.150.7")
    del asked["dhcp"]
    world.client("manager").post("/networks/create/", asked)
    assert Task.objects.get().arguments["dhcp"] == []


def test_many_hosts_cost_no_more_than_one(world: World, django_assert_num_queries: Any) -> None:
    with CaptureQueriesContext(connection) as one:
        places_of([world.host])
    with django_assert_num_queries(len(one)):
        assert [place.bridges for place in places_of([world.host, world.other_host])] == [["br0"], []]


def test_a_press_repeated_by_a_browser_is_one_task(world: World) -> None:
    client = world.client("manager")
    for _ in range(2):
        client.post("/networks/create/", form(host=world.host.pk, idempotency_key="k"))
    assert Task.objects.count() == 1


def test_without_a_host_that_answers_there_is_no_form(world: World) -> None:
    world.host_is_down()
    shown = world.client("manager").get("/networks/create/").content.decode()
    assert "No host is connected" in shown
    assert world.client("manager").post("/networks/create/", form(host=world.host.pk)).status_code == 200
    assert not Task.objects.exists()


@pytest.mark.parametrize(("verb", "active"), [("start", False), ("stop", True)])
def test_it_is_started_when_off_and_stopped_when_active(world: World, verb: str, active: bool) -> None:
    Network.objects.update(active=active)
    assert world.client("manager").post(url(world, verb)).status_code == 302
    assert Task.objects.get().kind == f"networks.{verb}"
    Network.objects.update(active=not active)
    refused = world.client("manager").post(url(world, verb), headers={"X-Webvirt-Toast": "1"})
    assert refused.status_code == 409
    assert "default" in refused.json()["detail"]


def test_stopping_says_which_running_guests_lose_it(world: World) -> None:
    attach(world, running=True)
    other = make_instance(world.host, "web-2")
    Attachment.objects.create(
        host=world.host, network_name="default", mac="52:54:00:00:00:02", instance_uuid=other.uuid,
        instance_name="web-2",
    )  # fmt: skip
    shown = world.client("manager").get(url(world, "stop")).content.decode()
    assert "This running guest loses it at once" in shown
    assert "web-1" in shown
    assert "web-2" not in shown
    Attachment.objects.update(running=False)
    assert "No running guest" in world.client("manager").get(url(world, "stop")).content.decode()


def test_removing_is_refused_while_a_guest_that_is_off_has_a_card_on_it(world: World) -> None:
    attach(world, running=False)
    shown = world.client("manager").get(url(world, "remove")).content.decode()
    assert "default is in use" in shown
    assert "web-1" in shown
    assert "type-name" not in shown
    refused = world.client("manager").post(
        url(world, "remove"), {"confirm": "default"}, headers={"X-Webvirt-Toast": "1"}
    )
    assert refused.status_code == 409
    assert not Task.objects.exists()


def test_of_very_many_guests_the_first_are_named_and_the_others_counted(world: World) -> None:
    for number in range(12):
        name = f"db-{number:02}"
        guest = make_instance(world.host, name)
        Attachment.objects.create(
            host=world.host, network_name="default", mac=f"52:54:00:00:01:{number:02}", instance_uuid=guest.uuid,
            instance_name=name,
        )  # fmt: skip
    shown = world.client("manager").get(url(world, "remove")).content.decode()
    assert "db-09" in shown
    assert "db-10" not in shown
    assert "and 2 more" in shown


def test_removing_asks_for_the_name(world: World) -> None:
    client = world.client("manager")
    assert "type-name" in client.get(url(world, "remove")).content.decode()
    assert client.post(url(world, "remove"), {"confirm": "defalt"}).status_code == 400
    assert not Task.objects.exists()
    assert client.post(url(world, "remove"), {"confirm": "default"}).url == "/networks/"
    assert Task.objects.get().kind == "networks.remove"


def test_a_transient_one_cannot_start_with_its_host(world: World) -> None:
    assert world.client("manager").post(url(world, "autostart"), {"autostart": "on"}).status_code == 302
    assert Task.objects.get().arguments == {"autostart": True}
    Network.objects.update(persistent=False)
    assert world.client("manager").post(url(world, "autostart")).status_code == 409


def test_only_who_manages_it_sees_its_buttons(world: World) -> None:
    page = f"/networks/{world.network.pk}/"
    assert "/stop/" in world.client("manager").get(page).content.decode()
    for name in ("operator", "viewer"):
        assert "/stop/" not in world.client(name).get(page).content.decode()
    world.host_is_down()
    assert "/stop/" not in world.client("manager").get(page).content.decode()


def test_leases_are_shown_with_the_guests_that_have_them(world: World) -> None:
    attach(world, running=True)
    Lease.objects.create(network=world.network, mac="52:54:00:00:00:01", address="192.168.122.20", hostname="web")
    Lease.objects.create(network=world.network, mac="52:54:00:00:00:09", address="192.168.122.9")
    shown = world.client("viewer").get(f"/networks/{world.network.pk}/?block=leases").content.decode()
    assert shown.index("192.168.122.9<") < shown.index("192.168.122.20<")
    assert f'/instances/{world.instance.pk}/">web-1' in shown
    cards = world.client("viewer").get(f"/networks/{world.network.pk}/?block=cards").content.decode()
    assert "192.168.122.20" in cards
    assert "plugged in" in cards
