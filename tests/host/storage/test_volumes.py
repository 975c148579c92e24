"""Volumes of a real pool: made, grown, copied, fetched and deleted, and what is left where that fails."""

import os
import random
import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from storage import downloads, volume_work, volumes
from storage.models import Pool, Volume
from tasks import runner
from tasks.context import Context
from tasks.models import Task
from tests.guests import ipxe_guest
from tests.host.storage.conftest import virsh
from virt import storage
from virt.connection import Connection

pytestmark = pytest.mark.usefixtures("monitor")

MIB = 1024**2


def run(task: Task) -> Task:
    runner.run(task.pk)
    task.refresh_from_db()
    return task


def made(pool: Pool, name: str, size: str = "8M", format: str = "qcow2", *more: str) -> Volume:
    """A volume of the host's, and its row as the monitor would write it."""
    virsh("vol-create-as", pool.name, name, size, "--format", format, *more)
    return row_of(pool, name, format)


def row_of(pool: Pool, name: str, format: str = "qcow2") -> Volume:
    capacity = 8 * MIB
    row = Volume.objects.create(
        pool=pool, name=name, path=f"{pool.path}/{name}", format=format, capacity_bytes=capacity
    )
    return Volume.objects.select_related("pool__host__status").get(pk=row.pk)


@pytest.fixture
def guest(pool: Pool, folder: Path) -> Iterator[tuple[str, Volume]]:
    """A guest that is off, and its disk in the pool."""
    volume = made(pool, "disk.qcow2")
    with ipxe_guest("t-storage") as (_uuid, name):
        virsh("attach-disk", name, volume.path, "vdb", "--subdriver", "qcow2", "--config")
        yield name, volume


@pytest.mark.parametrize("format", ["qcow2", "raw"])
def test_a_volume_is_made_and_takes_room_as_it_fills(
    conn: Connection, pool: Pool, actor: User, folder: Path, format: str
) -> None:
    task = run(volumes.create_volume(pool=pool, name="数据.img", format=format, size_bytes=GIB_5, actor=actor))
    assert task.state == "succeeded", task.error
    facts = storage.describe_volume(conn, pool.uuid, "数据.img")
    assert (facts.format, facts.capacity_bytes) == (format, GIB_5)
    assert (folder / "数据.img").stat().st_blocks * 512 < MIB


GIB_5 = 5 * 1024 * MIB


def test_a_name_taken_on_the_host_alone_is_left_as_it_is(pool: Pool, actor: User, folder: Path) -> None:
    task = volumes.create_volume(pool=pool, name="data", format="raw", size_bytes=MIB, actor=actor)
    virsh("vol-create-as", pool.name, "data", "4096")
    assert run(task).state == "failed"
    assert "already" in task.error_words["detail"]
    assert (folder / "data").stat().st_size == 4096


def half_made(pool: Pool, actor: User) -> Task:
    """A task whose worker died after the volume was made."""
    task = volumes.create_volume(pool=pool, name="data", format="raw", size_bytes=MIB, actor=actor)
    Context(task, threading.Event()).make(pool=str(pool.uuid), volume="data", capacity=str(MIB))
    return task


def test_undoing_removes_what_was_half_made_and_nothing_else(pool: Pool, actor: User, folder: Path) -> None:
    task = half_made(pool, actor)
    virsh("vol-create-as", pool.name, "data", str(MIB))
    for _time in range(2):
        runner.undo(Context(task, threading.Event()))
        assert list(folder.iterdir()) == []
    virsh("vol-create-as", pool.name, "data", "4096")
    runner.undo(Context(half_made_again(task), threading.Event()))
    assert (folder / "data").exists()


def half_made_again(task: Task) -> Task:
    Context(task, threading.Event()).make(pool=str(task.object_uuid), volume="data", capacity=str(MIB))
    return task


def test_a_disk_grows_while_its_guest_is_off_and_while_it_runs(
    conn: Connection, pool: Pool, actor: User, guest: tuple[str, Volume]
) -> None:
    name, volume = guest
    for state, size in (("off", 16 * MIB), ("on", 32 * MIB)):
        if state == "on":
            virsh("start", name)
        task = run(volumes.grow_volume(volume=volume, size_bytes=size, actor=actor))
        assert task.state == "succeeded", task.error
        assert storage.describe_volume(conn, pool.uuid, volume.name).capacity_bytes == size
    assert f"Capacity:       {32 * MIB}" in virsh("domblkinfo", name, "vdb")
    again = volumes.grow_volume(volume=volume, size_bytes=20 * MIB, actor=actor)
    assert run(again).state == "failed"
    assert "can only grow" in again.error_words["detail"]


def test_a_disk_of_ours_grows_with_its_snapshots(pool: Pool, actor: User, folder: Path) -> None:
    disk, copy = folder / "disk.qcow2", folder / "copy.qcow2"
    made_by_us = volumes.create_volume(pool=pool, name=disk.name, format="qcow2", size_bytes=8 * MIB, actor=actor)
    assert run(made_by_us).state == "succeeded"
    volume = row_of(pool, disk.name)
    assert run(volumes.clone_volume(volume=volume, name=copy.name, actor=actor)).state == "succeeded"
    for path in (disk, copy):
        subprocess.run(["qemu-img", "snapshot", "-c", "s1", path], check=True)
    for one in (volume, row_of(pool, copy.name)):
        task = run(volumes.grow_volume(volume=one, size_bytes=16 * MIB, actor=actor))
        assert task.state == "succeeded", task.error


def test_an_old_image_with_snapshots_says_why_it_does_not_grow(pool: Pool, actor: User, folder: Path) -> None:
    volume = made(pool, "old.qcow2")
    subprocess.run(["qemu-img", "snapshot", "-c", "s1", folder / "old.qcow2"], check=True)
    task = run(volumes.grow_volume(volume=volume, size_bytes=16 * MIB, actor=actor))
    assert "older version of qcow2" in task.error_words["detail"]


def test_a_disk_in_use_is_not_deleted_whatever_rows_say(
    pool: Pool, actor: User, folder: Path, guest: tuple[str, Volume]
) -> None:
    name, volume = guest
    task = run(volumes.delete_volume(volume=volume, actor=actor))
    assert task.state == "failed"
    assert "A guest uses this volume" in task.error_words["detail"]
    assert name not in str(task.error)
    assert (folder / volume.name).exists()
    virsh("detach-disk", name, "vdb", "--config")
    assert run(volumes.delete_volume(volume=volume, actor=actor)).state == "succeeded"
    assert list(folder.iterdir()) == []


def test_a_base_is_not_deleted_though_nobody_told_libvirt_of_what_is_built_on_it(
    pool: Pool, actor: User, folder: Path
) -> None:
    base = made(pool, "base.qcow2")
    over = folder / "over.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2", over], check=True)
    task = run(volumes.delete_volume(volume=base, actor=actor))
    assert task.state == "failed"
    assert "built on this one" in task.error_words["detail"]
    assert (folder / "base.qcow2").exists()
    grown = run(volumes.grow_volume(volume=base, size_bytes=16 * MIB, actor=actor))
    assert grown.state == "failed"


def test_the_base_of_a_snapshot_whose_overlay_lies_in_no_pool_is_not_deleted(
    pool: Pool, actor: User, folder: Path, guest: tuple[str, Volume], tmp_path: Path
) -> None:
    name, volume = guest
    virsh("snapshot-create-as", name, "s1", "--disk-only", "--diskspec", f"vdb,file={tmp_path}/over.qcow2")
    assert str(folder) not in virsh("dumpxml", name)
    task = run(volumes.delete_volume(volume=volume, actor=actor))
    assert task.state == "failed"
    assert "snapshot or saved memory needs" in task.error_words["detail"]
    assert (folder / volume.name).exists()


def test_a_copy_stands_alone_with_the_same_content(conn: Connection, pool: Pool, actor: User, folder: Path) -> None:
    base = made(pool, "base.raw", "8M", "raw")
    content = random.Random(5).randbytes(8 * MIB)
    (folder / "base.raw").write_bytes(content)
    made(pool, "over.qcow2", "8M", "qcow2", "--backing-vol", base.path, "--backing-vol-format", "raw")
    over = Volume.objects.select_related("pool__host__status").get(name="over.qcow2")
    task = run(volumes.clone_volume(volume=over, name="copy.qcow2", actor=actor))
    assert task.state == "succeeded", task.error
    facts = storage.describe_volume(conn, pool.uuid, "copy.qcow2")
    assert (facts.format, facts.capacity_bytes, facts.backing_path) == ("qcow2", 8 * MIB, "")
    subprocess.run(["qemu-img", "convert", "-O", "raw", folder / "copy.qcow2", folder / "copy.raw"], check=True)
    assert (folder / "copy.raw").read_bytes() == content


def test_an_iso_is_copied_and_known_as_one(conn: Connection, pool: Pool, actor: User, folder: Path) -> None:
    content = bytes(0x8001) + b"CD001" + random.Random(1).randbytes(100_000)
    content += bytes(-len(content) % 512)
    (folder / "boot.iso").write_bytes(content)
    virsh("pool-refresh", pool.name)
    iso = row_of(pool, "boot.iso", "iso")
    task = run(volumes.clone_volume(volume=iso, name="again.iso", actor=actor))
    assert task.state == "succeeded", task.error
    assert (folder / "again.iso").read_bytes() == content
    assert storage.describe_volume(conn, pool.uuid, "again.iso").format == "iso"


def test_a_copy_whose_end_was_asked_for_is_removed(
    pool: Pool, actor: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = made(pool, "disk.qcow2")
    task = volumes.clone_volume(volume=volume, name="copy.qcow2", actor=actor)
    asked = iter([False])
    monkeypatch.setattr(Context, "cancelled", lambda self: next(asked, True))
    assert run(task).state == "cancelled"
    assert [path.name for path in folder.iterdir()] == ["disk.qcow2"]


def test_the_disk_of_a_running_guest_is_neither_copied_nor_fetched(
    pool: Pool, actor: User, folder: Path, guest: tuple[str, Volume]
) -> None:
    name, volume = guest
    virsh("start", name)
    for task in (
        volumes.clone_volume(volume=volume, name="copy.qcow2", actor=actor),
        volumes.download_volume(volume=volume, actor=actor),
    ):
        assert run(task).state == "failed"
        assert "running guest writes" in task.error_words["detail"]
        assert not downloads.path_of(task.pk).exists()
    assert [path.name for path in folder.iterdir()] == ["disk.qcow2"]


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("verb", ["clone", "download"])
def test_a_copy_in_which_the_guest_was_started_is_torn_and_not_kept(
    pool: Pool,
    actor: User,
    folder: Path,
    guest: tuple[str, Volume],
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    stopped: bool,
) -> None:
    name, volume = guest
    work, call = (volume_work.work, "clone") if verb == "clone" else (volume_work.streams, "download")
    whole = getattr(work, call)

    def started_meanwhile(*arguments: Any, **named: Any) -> Any:
        answer = whole(*arguments, **named)
        virsh("start", name)
        if stopped:
            virsh("destroy", name)
            # What a guest with a system on its disk had done by then.
            subprocess.run(["qemu-io", "-c", "write 0 4k", volume.path], check=True, stdout=subprocess.DEVNULL)
        return answer

    monkeypatch.setattr(work, call, started_meanwhile)
    if verb == "clone":
        task = volumes.clone_volume(volume=volume, name="copy.qcow2", actor=actor)
    else:
        task = volumes.download_volume(volume=volume, actor=actor)
    assert run(task).state == "failed"
    assert ("written to while it was read" if stopped else "running guest writes") in task.error_words["detail"]
    assert [path.name for path in folder.iterdir()] == ["disk.qcow2"]
    assert not downloads.path_of(task.pk).exists()


def test_what_is_fetched_is_what_is_there(pool: Pool, actor: User, folder: Path) -> None:
    volume = made(pool, "data.raw", "64M", "raw", "--allocation", "0")
    content = random.Random(3).randbytes(3 * MIB + 17)
    with (folder / "data.raw").open("r+b") as file:
        file.seek(10 * MIB)
        file.write(content)
    task = run(volumes.download_volume(volume=volume, actor=actor))
    assert task.state == "succeeded", task.error
    assert task.result == {"url": f"/api/v1/downloads/{task.pk}/", "bytes": 64 * MIB}
    path = downloads.path_of(task.pk)
    assert path.read_bytes() == (folder / "data.raw").read_bytes()
    assert path.stat().st_blocks * 512 < 16 * MIB
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()


def test_a_download_that_is_cancelled_or_finds_no_room_leaves_nothing(
    pool: Pool, actor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = made(pool, "data.raw", "64M", "raw")
    task = volumes.download_volume(volume=volume, actor=actor)
    asked = iter([False])
    with monkeypatch.context() as patched:
        patched.setattr(Context, "cancelled", lambda self: next(asked, True))
        assert run(task).state == "cancelled"
    assert not downloads.path_of(task.pk).exists()
    full: Any = volumes.download_volume(volume=volume, actor=actor)
    monkeypatch.setattr(downloads, "free_bytes", lambda: 1000)
    assert run(full).state == "failed"
    assert full.error_words["title"] == "Not enough room"


@pytest.fixture
def little_disk(folder: Path) -> Iterator[Path]:
    """A folder of downloads with 8 MiB of room."""
    place = folder / f"little-{secrets.token_hex(2)}"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_fills_up_meanwhile_says_so(
    pool: Pool, actor: User, folder: Path, little_disk: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = made(pool, "data.raw", "64M", "raw")
    (folder / "data.raw").write_bytes(os.urandom(64 * MIB))
    settings.DOWNLOADS = little_disk
    monkeypatch.setattr(downloads, "free_bytes", lambda: 10**12)
    task = run(volumes.download_volume(volume=volume, actor=actor))
    assert (task.state, task.error_words["title"]) == ("failed", "Not enough room")
    assert list(little_disk.iterdir()) == []
