"""A guest from a disk that is there: which may be chosen, what is kept of it, and that it outlives the guest."""

import json
from typing import Any

import pytest

from accounts.models import Grant, Role
from instances.models import Instance
from storage.models import Pool, Volume, VolumeUse
from tasks.models import Task
from tests.unit.world import GIB, World, grant
from virt.xml.own import NAMESPACE


@pytest.fixture
def disk(world: World) -> Volume:
    Task.objects.all().delete()
    return Volume.objects.create(
        pool=world.pool, name="old.qcow2", path="/pool/old.qcow2", format="qcow2", capacity_bytes=GIB
    )


def create(world: World, *disks: dict[str, Any], name: str = "manager", **more: Any) -> Any:
    asked = {"host": world.host.pk, "name": "new", "networks": [], "disks": disks, **more}
    headers = {"Authorization": f"Bearer {world.token(name)}"}
    return world.client("anonymous").post(
        "/api/v1/instances/", json.dumps(asked), content_type="application/json", headers=headers
    )


def test_the_disk_is_named_to_the_job_with_all_that_it_is_laid_over(world: World, disk: Volume) -> None:
    Volume.objects.create(pool=world.pool, name="base", path="/pool/base", format="raw")
    Volume.objects.filter(pk=disk.pk).update(backing_path="base")
    new = {"pool": world.pool.pk, "size_bytes": GIB}
    assert create(world, {"volume": disk.pk, "bus": "sata"}, new).status_code == 202
    first, second = Task.objects.get().arguments["disks"]
    pool = str(world.pool.uuid)
    assert first == {
        "existing": True, "pool": pool, "pool_name": "default", "volume": "old.qcow2", "format": "qcow2",
        "bus": "sata", "chain": [{"pool": pool, "volume": "base", "format": "raw"}],
    }  # fmt: skip
    assert (second["existing"], second["volume"]) == (False, "new.qcow2")


def spoil(world: World, disk: Volume, how: str) -> None:
    if how == "used":
        VolumeUse.objects.create(host=world.host, path=disk.path, instance_uuid=world.instance.uuid, device="vda")
    elif how == "base":
        Volume.objects.create(pool=world.pool, name="top", path="/pool/top", backing_path="old.qcow2")
    elif how == "iso":
        Volume.objects.filter(pk=disk.pk).update(format="iso")
    elif how == "inactive":
        Pool.objects.update(state=Pool.State.INACTIVE)
    elif how == "outside":
        Volume.objects.filter(pk=disk.pk).update(backing_path="/etc/shadow")
    elif how == "circle":
        Volume.objects.filter(pk=disk.pk).update(backing_path="old2")
        Volume.objects.create(pool=world.pool, name="old2", path="/pool/old2", backing_path="old.qcow2")
    elif how == "elsewhere":
        far = Pool.objects.create(
            host=world.other_host, uuid=world.pool.uuid, name="far", type="dir", state="active", path="/far"
        )
        grant(world.manager, Role.MANAGER, Grant.Scope.POOL, world.other_host, far.uuid)
        Volume.objects.filter(pk=disk.pk).update(pool=far)
    elif how == "creating":
        assert create(world, {"volume": disk.pk}, name="admin").status_code == 202


@pytest.mark.parametrize("how", ["used", "base", "iso", "inactive", "outside", "circle", "elsewhere", "creating"])
def test_a_disk_that_cannot_be_is_refused_in_words(world: World, disk: Volume, how: str) -> None:
    spoil(world, disk, how)
    before = Task.objects.count()
    answer = create(world, {"volume": disk.pk}, name="manager")
    assert answer.status_code == 400, answer.content
    assert "disks.0.volume" in answer.json()["errors"]
    assert Task.objects.count() == before


@pytest.mark.parametrize("more", [{"size_bytes": GIB}, {"format": "raw"}, {"pool": 1}])
def test_a_disk_is_new_or_there_not_both(world: World, disk: Volume, more: dict[str, Any]) -> None:
    assert list(create(world, {"volume": disk.pk, **more}).json()["errors"]) == [f"disks.0.{next(iter(more))}"]
    assert sorted(create(world, {}).json()["errors"]) == ["disks.0.pool", "disks.0.size_bytes"]
    assert list(create(world, {"volume": disk.pk}, {"volume": disk.pk}).json()["errors"]) == ["disks.1.volume"]
    assert list(create(world, {"volume": 999}).json()["errors"]) == ["disks.0.volume"]


def test_what_a_guest_would_read_through_the_disk_must_be_ones_own(world: World, disk: Volume) -> None:
    secret = Pool.objects.create(
        host=world.host, uuid=world.instance.uuid, name="secret", type="dir", state="active", path="/secret"
    )
    Volume.objects.create(pool=secret, name="base", path="/secret/base", format="raw")
    Volume.objects.filter(pk=disk.pk).update(backing_path="/secret/base")
    Grant.objects.filter(user=world.manager).delete()
    grant(world.manager, Role.MANAGER, Grant.Scope.POOL, world.host, world.pool.uuid)
    grant(world.manager, Role.VIEWER, Grant.Scope.POOL, world.host, secret.uuid)
    assert create(world, {"volume": disk.pk}).status_code == 403
    assert create(world, {"volume": disk.pk}, name="admin").status_code == 202


def post(world: World, **data: Any) -> Any:
    form = {
        "source": "disk", "name": "new", "vcpus": "1", "memory_gib": "1", "firmware": "bios", "video": "vga",
        "disks-TOTAL_FORMS": "0", "disks-INITIAL_FORMS": "0", "cards-TOTAL_FORMS": "0", "cards-INITIAL_FORMS": "0",
        "existing_bus": "virtio", **data,
    }  # fmt: skip
    return world.client("manager").post("/instances/create/", form)


def test_the_page_offers_the_disks_that_are_free(world: World, disk: Volume) -> None:
    page = world.client("manager").get(f"/instances/create/?disk={disk.pk}").content.decode()
    assert f'<option value="{disk.pk}"' in page
    assert 'value="disk" checked' in page
    assert "web-1.qcow2" not in page
    assert "boot.iso" in page
    spoil(world, disk, "used")
    page = world.client("manager").get("/instances/create/").content.decode()
    assert "old.qcow2" not in page


def test_the_page_asks_for_the_disk_on_its_host(world: World, disk: Volume) -> None:
    assert post(world, existing=disk.pk, existing_bus="scsi", cpu="maximum").status_code == 302
    task = Task.objects.get()
    assert (task.host_id, task.arguments["cpu"]) == (world.host.pk, "maximum")
    assert [(one["volume"], one["bus"]) for one in task.arguments["disks"]] == [("old.qcow2", "scsi")]


def test_the_page_says_what_is_wrong_at_the_disk(world: World, disk: Volume) -> None:
    assert "Choose a disk" in post(world).content.decode()
    spoil(world, disk, "outside")
    page = post(world, existing=disk.pk).content.decode()
    assert "It is laid over /etc/shadow" in page
    spoil(world, disk, "used")
    assert "This disk is not free any more" in post(world, existing=disk.pk).content.decode()


def test_a_disk_that_was_there_before_the_guest_is_never_deleted_with_it(world: World) -> None:
    own = f"<metadata><w:domain xmlns:w='{NAMESPACE}'><w:brought path='/pool/web-1.qcow2'/></w:domain></metadata>"
    Instance.objects.update(inactive_xml=f"<domain><name>web-1</name>{own}</domain>")
    page = world.client("manager").get(f"/instances/{world.instance.pk}/delete/").content.decode()
    assert f'value="{world.volume.pk}" disabled' in page
    assert "was there before this guest" in page
    headers = {"Authorization": f"Bearer {world.token('manager')}"}
    world.client("anonymous").delete(f"/api/v1/instances/{world.instance.pk}/?volumes=delete", headers=headers)
    assert Task.objects.get(kind="instances.delete").arguments["volumes"] == []


def test_a_processor_model_that_the_host_has_not_is_refused(world: World) -> None:
    assert create(world, cpu="z80").status_code == 400
    assert create(world, cpu="host-model").status_code == 202
