"""What beat removes, and what it carries on."""

import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from storage import spool, uploads
from storage.clean import clean
from storage.models import Upload
from tasks.models import Task
from tests.unit.storage.test_uploads import fill, moving, open_upload
from tests.unit.world import World

DAY = 25 * 3600


def aged(path: Path, seconds: int = DAY) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_it_forgets_an_upload_that_nobody_went_on_with(world: World) -> None:
    kept, left = open_upload(world), open_upload(world, filename="left.iso")
    aged(spool.path_of(left.pk))
    clean()
    assert list(Upload.objects.all()) == [kept]
    assert not spool.path_of(left.pk).exists()


def test_it_leaves_an_upload_alone_whose_bytes_are_coming(world: World) -> None:
    upload = open_upload(world)
    aged(spool.path_of(upload.pk))
    with spool.held(upload.pk):
        clean()
    assert Upload.objects.filter(pk=upload.pk).exists()


def test_it_carries_on_a_whole_file_whose_last_answer_was_lost(world: World) -> None:
    upload = fill(open_upload(world))
    clean()
    assert Task.objects.get(kind="storage.upload").arguments["upload"] == str(upload.pk)


@pytest.mark.parametrize("state", [Task.State.FAILED, Task.State.INTERRUPTED])
def test_it_keeps_a_failed_one_for_a_day(world: World, state: str) -> None:
    upload, task = moving(world)
    Task.objects.filter(pk=task.pk).update(state=state)
    clean()
    upload.refresh_from_db()
    assert upload.state == "failed"
    Upload.objects.update(touched_at=timezone.now() - timedelta(hours=25))
    clean()
    assert not Upload.objects.exists()
    assert not spool.path_of(upload.pk).exists()


def test_it_forgets_what_is_done(world: World) -> None:
    upload, _task = moving(world)
    uploads.mark_done(upload)
    spool.remove(upload.pk)
    clean()
    assert Upload.objects.exists()
    Upload.objects.update(touched_at=timezone.now() - timedelta(hours=25))
    clean()
    assert not Upload.objects.exists()


def test_it_removes_old_files_that_belong_to_no_upload(world: World) -> None:
    young, old = (Path(settings.SPOOL) / uuid4().hex for _ in range(2))
    for path in (young, old):
        path.touch()
    aged(old)
    clean()
    assert young.exists()
    assert not old.exists()
    young.unlink()


def test_a_row_whose_file_is_gone_goes(world: World) -> None:
    upload = open_upload(world)
    spool.remove(upload.pk)
    clean()
    assert not Upload.objects.exists()
