"""A received file on its way into a real pool: whole, refused, cancelled, and what is left each time."""

import hashlib
import os
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from hosts.models import Host
from storage import spool, uploads
from storage.models import Pool, Upload
from tasks import runner, sweep
from tasks import services as tasks
from tasks.context import Context
from tasks.models import Task
from tests.host.storage.conftest import URI, virsh
from tests.waiting import wait_for
from virt import storage
from virt.connection import Connection
from virt.xml.storage import Volume as VolumeXml
from webvirt.redis import client

pytestmark = pytest.mark.usefixtures("monitor")

CONTENT = bytes(0x8001) + b"CD001" + random.Random(1).randbytes(5_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def pool_of_spool(pool: Pool) -> Iterator[Pool]:
    """The pool; no spool file outlives the test."""
    yield pool
    for upload in Upload.objects.all():
        spool.remove(upload.pk)


def receive(pool: Pool, actor: User, *, name: str = "boot.iso", sha256: str = "", size: int = 0) -> tuple[Upload, Task]:
    """An upload whose bytes have come; `size` makes it that many zeros instead."""
    upload = uploads.create_upload(owner=actor, pool=pool, filename=name, length=size or len(CONTENT), sha256=sha256)
    with spool.path_of(upload.pk).open("wb") as file:
        if size:
            file.truncate(size)
        else:
            file.write(CONTENT)
    return upload, uploads.take_in(upload=upload)


def run(task: Task) -> Task:
    runner.run(task.pk)
    task.refresh_from_db()
    return task


def test_the_file_arrives_whole_and_libvirt_knows_what_it_is(
    pool_of_spool: Pool, actor: User, folder: Path, conn: Connection
) -> None:
    upload, task = receive(pool_of_spool, actor, sha256=DIGEST)
    assert run(task).state == "succeeded", task.error
    assert task.result == {"volume": "boot.iso", "sha256": DIGEST}
    assert hashlib.sha256((folder / "boot.iso").read_bytes()).hexdigest() == DIGEST
    facts = storage.describe_volume(conn, pool_of_spool.uuid, "boot.iso")
    assert (facts.format, facts.capacity_bytes) == ("iso", len(CONTENT))
    upload.refresh_from_db()
    assert upload.state == "done"
    assert not spool.path_of(upload.pk).exists()


def test_a_file_that_was_hashed_as_it_came_is_not_hashed_again(pool_of_spool: Pool, actor: User, folder: Path) -> None:
    _upload, task = receive(pool_of_spool, actor, sha256=DIGEST)
    Upload.objects.update(digest=DIGEST)
    assert run(task).result == {"volume": "boot.iso", "sha256": DIGEST}
    assert (folder / "boot.iso").read_bytes() == CONTENT
    wrong, task = receive(pool_of_spool, actor, name="other.iso", sha256=DIGEST)
    Upload.objects.filter(pk=wrong.pk).update(digest="0" * 64)
    assert run(task).state == "failed"
    assert [path.name for path in folder.iterdir()] == ["boot.iso"]


def test_a_name_in_another_script_arrives(pool_of_spool: Pool, actor: User, folder: Path) -> None:
    _upload, task = receive(pool_of_spool, actor, name="安装 盘.iso")
    assert run(task).state == "succeeded", task.error
    assert (folder / "安装 盘.iso").read_bytes() == CONTENT


def test_a_wrong_sha256_leaves_nothing(pool_of_spool: Pool, actor: User, folder: Path) -> None:
    upload, task = receive(pool_of_spool, actor, sha256="0" * 64)
    assert run(task).state == "failed"
    assert DIGEST in task.error_words["detail"]
    assert list(folder.iterdir()) == []
    assert not Upload.objects.exists()
    assert not spool.path_of(upload.pk).exists()


def test_a_name_taken_on_the_host_alone_is_left_as_it_is(pool_of_spool: Pool, actor: User, folder: Path) -> None:
    virsh("vol-create-as", pool_of_spool.name, "boot.iso", "4096")
    before = (folder / "boot.iso").read_bytes()
    upload, task = receive(pool_of_spool, actor)
    assert run(task).state == "failed"
    assert "already" in task.error_words["detail"]
    assert (folder / "boot.iso").read_bytes() == before
    # It can be tried again, once there is a place for it.
    virsh("vol-delete", "boot.iso", pool_of_spool.name)
    upload.refresh_from_db()
    again = run(uploads.retry_upload(upload=upload, actor=actor))
    assert again.state == "succeeded", again.error
    assert (folder / "boot.iso").read_bytes() == CONTENT


def test_a_pool_that_was_stopped_fails_in_words_and_keeps_the_file(pool_of_spool: Pool, actor: User) -> None:
    upload, task = receive(pool_of_spool, actor)
    virsh("pool-destroy", pool_of_spool.name)
    try:
        assert run(task).state == "failed"
    finally:
        virsh("pool-start", pool_of_spool.name)
    assert "not active" in task.error_words["detail"]
    upload.refresh_from_db()
    assert upload.state == "failed"
    assert uploads.offset_of(upload) == len(CONTENT)


def test_no_room_in_the_pool_is_said_before_anything_is_written(pool_of_spool: Pool, actor: User, folder: Path) -> None:
    upload, task = receive(pool_of_spool, actor)
    too_many = pool_of_spool.capacity_bytes * 2
    Upload.objects.filter(pk=upload.pk).update(length=too_many)
    assert run(task).state == "failed"
    assert task.error_words["title"] == "Not enough room"
    assert list(folder.iterdir()) == []


def test_cancelled_in_the_middle_it_leaves_nothing(pool_of_spool: Pool, actor: User, folder: Path) -> None:
    upload, task = receive(pool_of_spool, actor, size=6 * 1024**3)
    worker = threading.Thread(target=runner.run, args=(task.pk,))
    worker.start()
    try:
        wait_for(lambda: (folder / "boot.iso").exists() and (folder / "boot.iso").stat().st_size)
        wait_for(lambda: Task.objects.get(pk=task.pk).state == "running")
        tasks.cancel(task=Task.objects.get(pk=task.pk), actor=actor)
    finally:
        worker.join()
    task.refresh_from_db()
    assert task.state == "cancelled"
    assert list(folder.iterdir()) == []
    assert not Upload.objects.exists()
    assert not spool.path_of(upload.pk).exists()


def half_made(pool: Pool, actor: User, conn: Connection) -> Task:
    """A task whose worker died in the middle: its volume is there, its journal says so."""
    _upload, task = receive(pool, actor)
    context = Context(task, threading.Event())
    context.make(pool=str(pool.uuid), volume="boot.iso", length=str(len(CONTENT)))
    storage.create_volume(conn, pool.uuid, VolumeXml(name="boot.iso", capacity_bytes=len(CONTENT), format="raw"))
    return task


def test_undoing_removes_the_volume_and_may_be_done_twice(
    pool_of_spool: Pool, actor: User, folder: Path, conn: Connection
) -> None:
    task = half_made(pool_of_spool, actor, conn)
    for _time in range(2):
        runner.undo(Context(task, threading.Event()))
        assert list(folder.iterdir()) == []
    assert Upload.objects.get().state == "failed"


def test_what_is_left_because_its_host_was_away_is_removed_when_it_is_back(
    pool_of_spool: Pool, actor: User, folder: Path, conn: Connection
) -> None:
    task = half_made(pool_of_spool, actor, conn)
    Task.objects.filter(pk=task.pk).update(state=Task.State.INTERRUPTED, ended_at=timezone.now())
    hosts = Host.objects.filter(pk=pool_of_spool.host_id)
    hosts.update(uri="qemu+tcp://127.0.0.1:1/system")
    assert sweep.undo_again() == 1
    assert (folder / "boot.iso").exists()
    hosts.update(uri=URI)
    assert sweep.undo_again() == 0  # not at once again
    client().delete(f"webvirt:task:{task.pk}:undo")
    assert sweep.undo_again() == 1
    assert list(folder.iterdir()) == []
    task.refresh_from_db()
    assert task.made == []


def test_undoing_knows_its_own_when_libvirt_has_read_what_it_is(
    pool_of_spool: Pool, actor: User, folder: Path, conn: Connection
) -> None:
    task = half_made(pool_of_spool, actor, conn)
    image = folder / "boot.iso"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "10G"], check=True)
    os.truncate(image, len(CONTENT))
    virsh("pool-refresh", pool_of_spool.name)
    assert storage.describe_volume(conn, pool_of_spool.uuid, "boot.iso").format == "qcow2"
    runner.undo(Context(task, threading.Event()))
    assert list(folder.iterdir()) == []


def test_undoing_leaves_alone_what_is_not_its_own(
    pool_of_spool: Pool, actor: User, folder: Path, conn: Connection
) -> None:
    task = half_made(pool_of_spool, actor, conn)
    virsh("vol-delete", "boot.iso", pool_of_spool.name)
    virsh("vol-create-as", pool_of_spool.name, "boot.iso", "4096")
    runner.undo(Context(task, threading.Event()))
    assert (folder / "boot.iso").exists()
