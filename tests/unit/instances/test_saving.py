"""Saved memory, and a start from the CD for once: who may, when, and what is said."""

from typing import Any

import pytest

from instances.actions import SECONDS_TO_BEGIN
from instances.models import Instance
from tasks.models import Task
from tests.unit.world import GIB, World


@pytest.fixture(autouse=True)
def nothing_asked_yet(world: World) -> None:
    Task.objects.all().delete()


def post(world: World, verb: str, name: str = "operator") -> Any:
    return world.client(name).post(f"/instances/{world.instance.pk}/{verb}/", headers={"X-Webvirt-Toast": "1"})


def page(world: World, name: str = "operator", path: str = "") -> str:
    return world.client(name).get(f"/instances/{world.instance.pk}/{path}").content.decode()


def is_saved(world: World) -> None:
    Instance.objects.filter(pk=world.instance.pk).update(has_managed_save=True)


def test_saving_has_time_for_all_of_the_memory(world: World) -> None:
    Instance.objects.update(state=Instance.State.RUNNING, memory_bytes=64 * GIB)
    post(world, "save")
    task = Task.objects.get()
    assert (task.queue, task.title) == ("long", "Save web-1")
    assert task.limit == SECONDS_TO_BEGIN + 64 * 64


def test_going_on_from_saved_memory_has_the_same_time(world: World) -> None:
    post(world, "start")
    is_saved(world)
    post(world, "start")
    before, after = Task.objects.order_by("pk")
    assert (before.queue, before.limit) == ("quick", 120)
    assert (after.queue, after.limit) == ("long", 120 + 128)


def test_a_transient_guest_cannot_be_saved(world: World) -> None:
    Instance.objects.update(state=Instance.State.RUNNING, persistent=False)
    assert post(world, "save").status_code == 409
    assert "/save/" not in page(world)


def test_a_saved_guest_is_shut_off_with_a_note(world: World) -> None:
    is_saved(world)
    for text in (page(world), world.client("operator").get("/instances/").content.decode()):
        assert text.count("Shut off") >= 1
        assert "saved" in text
        assert ">Saved<" not in text
    assert "Its memory is saved on the host" in page(world)


def test_saved_memory_is_thrown_away_after_a_question(world: World) -> None:
    assert post(world, "discard").status_code == 409
    assert "/discard/" not in page(world)
    is_saved(world)
    assert "/discard/" in page(world)
    assert "/discard/" not in page(world, "viewer")
    assert "Discard the saved memory of web-1?" in page(world, path="discard/")
    assert post(world, "discard").json()["task"]["kind"] == "instances.discard"


def has_iso(world: World) -> None:
    world.instance.disks[1]["path"] = world.iso.path
    world.instance.save()


def test_a_guest_with_a_cd_is_started_from_it(world: World) -> None:
    assert "/start_from_cd/" not in page(world)
    assert "No CD drive of web-1" in post(world, "start_from_cd").json()["detail"]
    has_iso(world)
    assert "/start_from_cd/" in page(world)
    assert post(world, "start_from_cd").json()["task"]["title"] == "Start web-1 from its CD"
    assert post(world, "start_from_cd", "viewer").status_code == 403


def test_a_saved_or_running_guest_is_not_started_from_its_cd(world: World) -> None:
    has_iso(world)
    is_saved(world)
    assert "saved" in post(world, "start_from_cd").json()["detail"]
    Instance.objects.update(has_managed_save=False, state=Instance.State.RUNNING)
    assert "Running" in post(world, "start_from_cd").json()["detail"]


def test_the_cd_of_a_saved_guest_is_neither_changed_nor_offered_to_be(world: World) -> None:
    drive = '<disk device="cdrom"><source file="/pool/boot.iso"/><target dev="sda" bus="sata"/></disk>'
    xml = f"<domain type='kvm'><name>web-1</name><devices>{drive}</devices></domain>"
    Instance.objects.update(xml=xml, inactive_xml=xml)
    assert "?edit=sda" in page(world, "manager")
    is_saved(world)
    assert "?edit=sda" not in page(world, "manager")
    answer = world.client("manager").post(
        f"/instances/{world.instance.pk}/media/", {"target": "sda", "volume": ""}, headers={"X-Webvirt-Toast": "1"}
    )
    assert answer.status_code == 409
    assert "saved" in answer.json()["detail"]
    assert not Task.objects.exists()
