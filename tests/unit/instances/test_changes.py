"""Asking for a change of a guest by its page: who may, when, and what becomes of it."""

import uuid

import pytest

from instances.models import Instance
from instances.spec import resolve
from storage.models import Pool, Volume, VolumeUse
from tasks.models import Task
from tests.unit.world import GIB, World, make_instance

RUNNING = ("shutdown", "reboot", "suspend", "save", "reset", "destroy")
STATES = {
    "start": Instance.State.SHUTOFF,
    "resume": Instance.State.PAUSED,
    **dict.fromkeys(RUNNING, Instance.State.RUNNING),
}
VERBS = pytest.mark.parametrize("verb", STATES)


@pytest.fixture(autouse=True)
def nothing_asked_yet(world: World) -> None:
    Task.objects.all().delete()


def in_state_for(world: World, verb: str) -> str:
    Instance.objects.filter(pk=world.instance.pk).update(state=STATES[verb])
    return f"/instances/{world.instance.pk}/{verb}/"


@VERBS
def test_an_operator_gets_a_task_and_the_guests_page(world: World, verb: str) -> None:
    answer = world.client("operator").post(in_state_for(world, verb))
    assert answer.status_code == 302
    assert answer.url == f"/instances/{world.instance.pk}/"
    task = Task.objects.get()
    assert (task.kind, task.actor, task.object_uuid) == (f"instances.{verb}", world.operator, world.instance.uuid)
    assert "web-1" in task.title


@VERBS
def test_a_toast_gets_the_task(world: World, verb: str) -> None:
    answer = world.client("operator").post(in_state_for(world, verb), headers={"X-Webvirt-Toast": "1"})
    assert answer.json()["task"]["kind"] == f"instances.{verb}"


@VERBS
def test_only_operators_may(world: World, verb: str) -> None:
    path = in_state_for(world, verb)
    assert world.client("viewer").post(path).status_code == 403
    assert world.client("stranger").post(path).status_code == 404
    assert world.client("operator").get(path).status_code == 405
    assert world.client("anonymous").post(path).status_code == 302
    assert not Task.objects.exists()


@VERBS
def test_a_host_that_is_down_is_not_asked(world: World, verb: str) -> None:
    path = in_state_for(world, verb)
    world.host_is_down()
    answer = world.client("operator").post(path, headers={"X-Webvirt-Toast": "1"})
    assert answer.status_code == 503
    assert "kvm-01" in answer.json()["detail"]
    assert not Task.objects.exists()


@VERBS
def test_the_wrong_state_is_refused_in_words(world: World, verb: str) -> None:
    path = in_state_for(world, verb)
    wrong = Instance.State.RUNNING if verb in ("start", "resume") else Instance.State.SHUTOFF
    Instance.objects.update(state=wrong)
    answer = world.client("operator").post(path, headers={"X-Webvirt-Toast": "1"})
    assert answer.status_code == 409
    assert str(wrong.label) in answer.json()["detail"]


@VERBS
def test_a_repeated_press_is_one_task(world: World, verb: str) -> None:
    client, path = world.client("operator"), in_state_for(world, verb)
    for _ in range(2):
        client.post(path, {"idempotency_key": "once"})
        Instance.objects.update(state=Instance.State.UNKNOWN)  # what the first press made of it
    assert Task.objects.count() == 1


def test_a_key_of_another_change_is_refused(world: World) -> None:
    client = world.client("operator")
    client.post(in_state_for(world, "start"), {"idempotency_key": "once"})
    answer = client.post(in_state_for(world, "reboot"), {"idempotency_key": "once"})
    assert answer.status_code == 422


def test_changes_of_a_guest_take_turns_except_force_off_and_reset(world: World) -> None:
    for verb in STATES:
        world.client("operator").post(in_state_for(world, verb))
    waiting = {task.kind: bool(task.lock_key) for task in Task.objects.all()}
    assert {kind for kind, waits in waiting.items() if not waits} == {"instances.destroy", "instances.reset"}


def test_autostart_is_for_managers_and_lasting_guests(world: World) -> None:
    path = f"/instances/{world.instance.pk}/autostart/"
    assert world.client("operator").post(path, {"autostart": "on"}).status_code == 403
    assert world.client("manager").post(path, {"autostart": "on"}).status_code == 302
    assert Task.objects.get().arguments == {"autostart": True}
    Instance.objects.update(persistent=False)
    assert world.client("manager").post(path, {"autostart": "on"}).status_code == 409


def media(world: World, name: str = "manager", **data: object) -> int:
    return world.client(name).post(f"/instances/{world.instance.pk}/media/", {"target": "sda", **data}).status_code


def test_the_cd_is_changed_and_ejected(world: World) -> None:
    assert media(world, volume=world.iso.pk) == 302
    assert Task.objects.latest("pk").arguments["medium"]["volume"] == "boot.iso"
    assert media(world, volume="") == 302
    assert Task.objects.latest("pk").arguments == {"target": "sda", "medium": None}


def test_the_cd_is_not_changed_by_others_nor_to_what_is_no_image_of_the_host(world: World) -> None:
    assert media(world, "operator", volume=world.iso.pk) == 403
    assert media(world, "stranger", volume=world.iso.pk) == 404
    assert media(world, volume=world.volume.pk) == 400
    elsewhere = Pool.objects.create(host=world.other_host, uuid=uuid.uuid4(), name="far", type="dir", state="active")
    far = Volume.objects.create(pool=elsewhere, name="far.iso", path="/far.iso", format="iso")
    assert media(world, "admin", volume=far.pk) == 400
    assert media(world, volume=world.iso.pk, target="vda") == 409


def delete(world: World, name: str = "manager", **data: object) -> int:
    path = f"/instances/{world.instance.pk}/delete/"
    return world.client(name).post(path, {"confirm": "web-1", **data}).status_code


def deleted_volumes() -> list[str]:
    return [volume["name"] for volume in Task.objects.get().arguments["volumes"]]


def test_deleting_says_exactly_what_goes(world: World) -> None:
    page = world.client("manager").get(f"/instances/{world.instance.pk}/delete/").content.decode()
    assert "web-1.qcow2" in page
    assert "10.0 GiB" in page
    assert f'value="{world.volume.pk}" checked' in page


def test_deleting_takes_the_ticked_volumes(world: World) -> None:
    assert delete(world, volumes=[world.volume.pk]) == 302
    assert deleted_volumes() == ["web-1.qcow2"]


def test_deleting_keeps_volumes_that_are_not_ticked(world: World) -> None:
    assert delete(world) == 302
    assert deleted_volumes() == []


def test_deleting_asks_for_the_name(world: World) -> None:
    assert delete(world, confirm="web-2") == 400
    assert delete(world, confirm="") == 400
    assert not Task.objects.exists()


def test_deleting_is_for_managers(world: World) -> None:
    assert delete(world, "operator") == 403
    assert delete(world, "stranger") == 404
    assert world.client("viewer").get(f"/instances/{world.instance.pk}/delete/").status_code == 403


@pytest.mark.parametrize("reason", ["used", "base", "shareable", "readonly"])
def test_a_volume_with_another_use_stays(world: World, reason: str) -> None:
    if reason == "used":
        other = make_instance(world.host, "mail")
        VolumeUse.objects.create(
            host=world.host, path=world.volume.path, instance_uuid=other.uuid, instance_name="mail"
        )
    elif reason == "base":
        Volume.objects.create(pool=world.pool, name="clone.qcow2", path="/pool/c", backing_path=world.volume.path)
    else:
        world.instance.disks[0][reason] = True
        world.instance.save()
    page = world.client("manager").get(f"/instances/{world.instance.pk}/delete/").content.decode()
    assert f'value="{world.volume.pk}" disabled' in page
    assert delete(world, volumes=[world.volume.pk]) == 400


def test_a_volume_that_was_not_made_for_the_guest_is_not_ticked(world: World) -> None:
    Volume.objects.filter(pk=world.volume.pk).update(name="archive.qcow2")
    page = world.client("manager").get(f"/instances/{world.instance.pk}/delete/").content.decode()
    assert f'value="{world.volume.pk}"><span' in page
    assert "not called after this guest: it stays unless you tick it" in page


def test_the_size_of_a_new_disk_is_one_that_every_format_can_have(world: World) -> None:
    spec = resolve(
        {"host": world.host.pk, "name": "new", "disks": [{"pool": world.pool.pk, "size_bytes": GIB + 1}]},
        user=world.manager,
    )
    assert spec.disks[0].size_bytes == GIB + 4096


@pytest.mark.parametrize(("who", "status", "words"), [("viewer", 403, "role"), ("stranger", 404, "was removed")])
def test_a_toast_says_in_words_that_a_guest_is_gone_or_not_ones_own(
    world: World, who: str, status: int, words: str
) -> None:
    """As where it was removed under an open page, whose buttons are still there."""
    answer = world.client(who).post(f"/instances/{world.instance.pk}/start/", headers={"X-Webvirt-Toast": "1"})
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("address", ["/instances/{}/start/", "/logout/"])
def test_where_only_buttons_lead_a_page_says_so(world: World, address: str) -> None:
    answer = world.client("operator").get(address.format(world.instance.pk))
    assert answer.status_code == 405
    assert answer["Allow"].startswith("POST")
    assert "Nothing was done now" in answer.content.decode()


def test_a_guest_whose_disk_is_being_copied_is_not_deleted_with_it(world: World) -> None:
    copy = Task.objects.create(
        kind="storage.clone_volume",
        queue="long",
        limit=600,
        actor=world.admin,
        host_id=world.host.pk,
        object_type="volume",
        object_uuid=world.pool.uuid,
        object_name="copy.qcow2",
        arguments={"source_pool": str(world.pool.uuid), "source": world.volume.name},
        state=Task.State.RUNNING,
    )
    assert delete(world, volumes=[world.volume.pk]) == 409
    assert not Task.objects.filter(kind="instances.delete").exists()
    assert delete(world) == 302
    Task.objects.filter(pk=copy.pk).update(state=Task.State.SUCCEEDED)
    assert delete(world, volumes=[world.volume.pk]) == 302
