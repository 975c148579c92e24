"""Opening, ending and handing over uploads."""

import stat
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import override_settings

from storage import spool, uploads
from storage.errors import ImageRefused, NoRoom, TooLarge
from storage.models import Pool, Upload, Volume
from tasks import services as tasks
from tasks.errors import HostAway, Invalid, Refused
from tasks.models import Task
from tests.unit.world import GIB, World

QCOW2 = b"QFI\xfb\x00\x00\x00\x03"


def open_upload(world: World, **fields: Any) -> Upload:
    given = {"owner": world.manager, "pool": world.pool, "filename": "debian.iso", "length": 1000, **fields}
    return uploads.create_upload(**given)


def fill(upload: Upload, content: bytes = b"x" * 1000) -> Upload:
    spool.path_of(upload.pk).write_bytes(content)
    return upload


def test_it_opens_an_empty_file_that_others_cannot_read(world: World) -> None:
    upload = open_upload(world)
    assert uploads.offset_of(upload) == 0
    assert stat.S_IMODE(spool.path_of(upload.pk).stat().st_mode) == 0o600
    assert "debian" not in spool.path_of(upload.pk).name


@pytest.mark.parametrize("name", ["viewer", "operator", "stranger"])
def test_only_managers_of_the_pool_upload(world: World, name: str) -> None:
    with pytest.raises(PermissionDenied):
        open_upload(world, owner=getattr(world, name))


def test_it_says_since_when_the_host_is_away(world: World) -> None:
    world.host_is_down()
    with pytest.raises(HostAway):
        open_upload(world, pool=Pool.objects.with_host().get(pk=world.pool.pk))


def test_it_refuses_a_pool_that_is_not_active(world: World) -> None:
    world.pool.state = Pool.State.INACTIVE
    with pytest.raises(Refused):
        open_upload(world)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"filename": "../passwd"}, "filename"),
        ({"filename": "x" * 300}, "filename"),
        ({"filename": "boot.iso"}, "filename"),
        ({"length": 0}, "length"),
        ({"sha256": "abc"}, "sha256"),
    ],
)
def test_it_says_which_field_is_wrong(world: World, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        open_upload(world, **fields)
    assert list(refused.value.errors) == [field]
    assert not Upload.objects.exists()


def test_one_name_comes_once_at_a_time(world: World) -> None:
    first = open_upload(world)
    with pytest.raises(Invalid):
        open_upload(world)
    uploads.abort_upload(upload=first, actor=world.manager)
    assert not spool.path_of(first.pk).exists()
    open_upload(world)


def test_a_file_may_be_too_large_for_this_installation(world: World) -> None:
    with override_settings(UPLOAD_MAX=999), pytest.raises(TooLarge):
        open_upload(world)


def test_open_uploads_count_against_the_room_of_the_pool(world: World) -> None:
    Pool.objects.filter(pk=world.pool.pk).update(available_bytes=1500)
    world.pool.refresh_from_db()
    open_upload(world)
    with pytest.raises(NoRoom):
        open_upload(world, filename="second.iso")
    open_upload(world, filename="small.iso", length=500)


def test_open_uploads_count_against_the_room_of_the_spool(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool.shutil, "disk_usage", lambda path: SimpleNamespace(free=1500))
    first = open_upload(world)
    with pytest.raises(NoRoom):
        open_upload(world, filename="second.iso")
    fill(first)  # its bytes are no longer to come
    open_upload(world, filename="second.iso")


def test_a_whole_file_becomes_one_task_however_often_it_is_asked_for(world: World) -> None:
    upload = fill(open_upload(world))
    task = uploads.take_in(upload=upload)
    upload.refresh_from_db()
    assert (upload.state, upload.task_id) == ("received", task.pk)
    assert (task.kind, task.queue, task.object_name, task.actor) == (
        "storage.upload",
        "long",
        "debian.iso",
        world.manager,
    )
    assert uploads.take_in(upload=upload) == task
    assert Task.objects.filter(kind="storage.upload").count() == 1


def test_a_whole_file_waits_for_a_host_that_is_away(world: World) -> None:
    upload = fill(open_upload(world))
    world.host_is_down()
    upload = Upload.objects.get(pk=upload.pk)
    with pytest.raises(HostAway):
        uploads.take_in(upload=upload)
    upload.refresh_from_db()
    assert upload.state == "open"
    assert uploads.offset_of(upload) == 1000


def test_an_image_over_another_one_is_refused_and_removed(world: World) -> None:
    head = QCOW2 + (104).to_bytes(8, "big") + (11).to_bytes(4, "big") + bytes(84) + b"/etc/shadow"
    upload = fill(open_upload(world), head.ljust(1000, b"\0"))
    with pytest.raises(ImageRefused) as refused:
        uploads.take_in(upload=upload)
    assert "qemu-img convert" in str(refused.value.detail)
    assert not Upload.objects.exists()
    assert not spool.path_of(upload.pk).exists()
    assert not Task.objects.filter(kind="storage.upload").exists()


def moving(world: World) -> tuple[Upload, Task]:
    upload = fill(open_upload(world))
    task = uploads.take_in(upload=upload)
    upload.refresh_from_db()
    return upload, task


def test_a_failed_one_can_be_tried_again_from_its_kept_file(world: World) -> None:
    upload, task = moving(world)
    with pytest.raises(Refused):
        uploads.retry_upload(upload=upload, actor=world.manager)
    Task.objects.filter(pk=task.pk).update(state=Task.State.INTERRUPTED)
    again = uploads.retry_upload(upload=upload, actor=world.manager)
    assert again.pk != task.pk
    upload.refresh_from_db()
    assert (upload.state, upload.task_id) == ("received", again.pk)


def test_a_stranger_neither_ends_nor_retries_it(world: World) -> None:
    upload, _task = moving(world)
    for verb in (uploads.retry_upload, uploads.abort_upload):
        with pytest.raises(PermissionDenied):
            verb(upload=upload, actor=world.operator)


def test_ending_one_whose_task_waits_cancels_the_task(world: World) -> None:
    upload, task = moving(world)
    uploads.abort_upload(upload=upload, actor=world.manager)
    task.refresh_from_db()
    assert task.state == Task.State.CANCELLED
    assert not Upload.objects.exists()
    assert not spool.path_of(upload.pk).exists()


def test_a_task_cancelled_before_its_turn_takes_the_upload_with_it(world: World) -> None:
    upload, task = moving(world)
    tasks.cancel(task=task, actor=world.manager)
    with pytest.raises(Refused):
        uploads.retry_upload(upload=upload, actor=world.manager)
    assert not Upload.objects.exists()


def test_the_name_is_free_again_after_the_volume_is_there(world: World) -> None:
    upload, _task = moving(world)
    uploads.mark_done(upload)
    open_upload(world)
    Volume.objects.create(pool=world.pool, name="other.iso", path="/pool/other.iso")
    with pytest.raises(Invalid):
        open_upload(world, filename="other.iso", length=GIB)
