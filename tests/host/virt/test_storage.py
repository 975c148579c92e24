"""Pools, volumes and streams on real libvirt."""

import hashlib
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.host.virt.conftest import OwnPool, unique
from virt import domains, hosts, storage, streams, usage, volumes
from virt.connection import Connection
from virt.definition import DiskSpec, GuestSpec, build
from virt.errors import AlreadyExists, NoRoom, NotFound, OperationFailed, VirtError
from virt.xml.capabilities import DomainCapabilities
from virt.xml.domain import Source, VirtType
from virt.xml.storage import Pool, Volume

MIB = 1024 * 1024


def upload(conn: Connection, pool: OwnPool, name: str, data: bytes, **changes: object) -> str:
    values: dict[str, object] = {"progress": lambda sent: None, "cancelled": lambda: False, "sha256": True}
    return streams.upload(conn, pool.uuid, name, io.BytesIO(data), len(data), **(values | changes))  # type: ignore[arg-type]


def test_a_volume_comes_into_the_list_and_goes(conn: Connection, pool: OwnPool) -> None:
    made = storage.create_volume(conn, pool.uuid, Volume(name="a.qcow2", capacity_bytes=64 * MIB, format="qcow2"))
    assert storage.list_volumes(conn, pool.uuid) == [made]
    assert (made.format, made.capacity_bytes, made.path) == ("qcow2", 64 * MIB, str(pool.folder / "a.qcow2"))
    assert made.allocation_bytes < MIB
    assert storage.volume_exists(conn, pool.uuid, "a.qcow2")
    with pytest.raises(AlreadyExists):
        storage.create_volume(conn, pool.uuid, Volume(name="a.qcow2", capacity_bytes=MIB, format="raw"))
    storage.delete_volume(conn, pool.uuid, "a.qcow2")
    assert not storage.volume_exists(conn, pool.uuid, "a.qcow2")
    with pytest.raises(NotFound):
        storage.delete_volume(conn, pool.uuid, "a.qcow2")


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "a\x00b", ""])
def test_a_name_that_leads_out_of_the_pool_is_refused(conn: Connection, pool: OwnPool, name: str) -> None:
    with pytest.raises(VirtError):
        storage.create_volume(conn, pool.uuid, Volume(name=name, capacity_bytes=MIB, format="raw"))
    assert list(pool.folder.iterdir()) == []


def test_what_is_uploaded_is_what_was_sent(conn: Connection, pool: OwnPool) -> None:
    data = bytes(range(256)) * 4096 * 3 + b"end"
    storage.create_volume(conn, pool.uuid, Volume(name="data", capacity_bytes=len(data), format="raw"))
    progress: list[int] = []
    digest = upload(conn, pool, "data", data, progress=progress.append)
    assert digest == hashlib.sha256(data).hexdigest()
    assert (pool.folder / "data").read_bytes() == data
    assert progress == sorted(progress)
    assert progress[-1] == len(data)


def test_a_cancelled_upload_stops_and_the_volume_can_go(conn: Connection, pool: OwnPool) -> None:
    storage.create_volume(conn, pool.uuid, Volume(name="data", capacity_bytes=8 * MIB, format="raw"))
    sent: list[int] = []
    with pytest.raises(streams.StreamCancelled):
        upload(conn, pool, "data", bytes(8 * MIB), progress=sent.append, cancelled=lambda: len(sent) == 3)
    assert sent[-1] < 8 * MIB
    storage.delete_volume(conn, pool.uuid, "data")
    assert list(pool.folder.iterdir()) == []


def test_a_source_that_ends_early_is_an_error(conn: Connection, pool: OwnPool) -> None:
    storage.create_volume(conn, pool.uuid, Volume(name="data", capacity_bytes=2 * MIB, format="raw"))
    with pytest.raises(OperationFailed, match="ended before"):
        streams.upload(
            conn,
            pool.uuid,
            "data",
            io.BytesIO(bytes(MIB)),
            2 * MIB,
            progress=lambda sent: None,
            cancelled=lambda: False,
            sha256=False,
        )


@pytest.fixture
def little_disk(pool: OwnPool) -> Iterator[None]:
    """The pool on a file system of 4 MiB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "little", pool.folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", pool.folder], check=True)


@pytest.mark.usefixtures("little_disk")
def test_a_disk_that_fills_up_in_an_upload_says_so(conn: Connection, pool: OwnPool) -> None:
    storage.create_volume(
        conn, pool.uuid, Volume(name="data", capacity_bytes=16 * MIB, allocation_bytes=0, format="raw")
    )
    with pytest.raises(NoRoom):
        upload(conn, pool, "data", bytes(16 * MIB))
    storage.delete_volume(conn, pool.uuid, "data")
    assert conn.is_alive()


@pytest.mark.usefixtures("little_disk")
def test_a_volume_that_does_not_fit_leaves_nothing(conn: Connection, pool: OwnPool) -> None:
    with pytest.raises(NoRoom):
        storage.create_volume(conn, pool.uuid, Volume(name="data", capacity_bytes=16 * MIB, format="raw"))
    assert list(pool.folder.iterdir()) == []


def test_a_pool_that_does_not_start_is_not_left_defined(conn: Connection) -> None:
    name = unique("pool")
    with pytest.raises(VirtError):
        storage.define_pool(
            conn, Pool(type="dir", name=name, path="/nonexistent/pool"), autostart=False, start=True, build=False
        )
    assert name not in [pool.name for pool in storage.list_pools(conn)]


def test_two_pools_cannot_share_a_folder(conn: Connection, pool: OwnPool) -> None:
    with pytest.raises(AlreadyExists):
        storage.define_pool(
            conn,
            Pool(type="dir", name=unique("pool"), path=str(pool.folder)),
            autostart=False,
            start=False,
            build=False,
        )


def test_a_pool_tells_its_room(conn: Connection, pool: OwnPool) -> None:
    facts = storage.describe_pool(conn, pool.uuid)
    assert (facts.active, facts.type, facts.path) == (True, "dir", str(pool.folder))
    assert storage.free_bytes(conn, pool.uuid) == facts.available_bytes > 0


@pytest.mark.usefixtures("clean_domains")
def test_it_finds_who_uses_a_volume_even_below_another_image(conn: Connection, pool: OwnPool) -> None:
    base = storage.create_volume(conn, pool.uuid, Volume(name="base.qcow2", capacity_bytes=MIB, format="qcow2"))
    over = pool.folder / "over.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2", over], check=True)
    storage.refresh_pool(conn, pool.uuid)
    spec = GuestSpec(
        uuid=uuid4(),
        name=unique("guest"),
        vcpus=1,
        memory_bytes=128 * MIB,
        virt_type=VirtType.QEMU,
        disks=(DiskSpec(str(over)),),
    )
    capabilities = DomainCapabilities.parse(hosts.describe(conn).domcapabilities_xml)
    domain = build(spec, capabilities)
    domains.define(conn, domain)
    assert usage.users_of(conn, base.path) == [(spec.uuid, spec.name)]
    assert usage.users_of(conn, str(over)) == [(spec.uuid, spec.name)]
    disk = domain.disks[0]
    disk.type = "volume"
    disk.source = Source(pool=pool.name, volume="over.qcow2")
    domains.define(conn, domain)
    assert usage.users_of(conn, base.path) == [(spec.uuid, spec.name)]
    assert usage.users_of(conn, str(Path(base.path).parent / "other")) == []


def test_an_image_laid_over_another_is_known(conn: Connection, pool: OwnPool) -> None:
    base = storage.create_volume(conn, pool.uuid, Volume(name="base", capacity_bytes=MIB, format="qcow2"))
    over = Volume(name="over", capacity_bytes=MIB, format="qcow2", backing_path=base.path, backing_format="qcow2")
    made = storage.create_volume(conn, pool.uuid, over)
    assert usage.laid_over(conn, base.path) == ["over"]
    assert usage.laid_over(conn, made.path) == []
    assert usage.content_bytes(conn, made.path) == base.allocation_bytes + made.allocation_bytes


def test_a_clone_stands_alone_with_the_same_content(conn: Connection, pool: OwnPool) -> None:
    base = storage.create_volume(conn, pool.uuid, Volume(name="base", capacity_bytes=8 * MIB, format="raw"))
    upload(conn, pool, "base", b"below" * 1000)
    over = Volume(name="over", capacity_bytes=8 * MIB, format="qcow2", backing_path=base.path, backing_format="raw")
    storage.create_volume(conn, pool.uuid, over)
    volumes.clone(conn, pool.uuid, Volume(name="copy", capacity_bytes=8 * MIB, format="qcow2"), pool.uuid, "over")
    copy = storage.describe_volume(conn, pool.uuid, "copy")
    assert (copy.format, copy.capacity_bytes, copy.backing_path) == ("qcow2", 8 * MIB, "")
    read = subprocess.run(
        ["qemu-img", "dd", "-f", "qcow2", "-O", "raw", "bs=512", "count=8", f"if={copy.path}", f"of={pool.folder}/out"],
        check=False,
    )
    assert read.returncode == 0
    assert (pool.folder / "out").read_bytes()[:4096] == (b"below" * 1000)[:4096]


@pytest.mark.parametrize("format", ["raw", "qcow2"])
def test_a_volume_grows(conn: Connection, pool: OwnPool, format: str) -> None:
    storage.create_volume(conn, pool.uuid, Volume(name="disk", capacity_bytes=MIB, format=format))
    volumes.grow(conn, pool.uuid, "disk", 5 * MIB)
    assert storage.describe_volume(conn, pool.uuid, "disk").capacity_bytes == 5 * MIB


def test_what_is_downloaded_is_what_is_there_and_holes_stay_holes(
    conn: Connection, pool: OwnPool, tmp_path: Path
) -> None:
    storage.create_volume(
        conn, pool.uuid, Volume(name="data", capacity_bytes=64 * MIB, allocation_bytes=0, format="raw")
    )
    content = b"\x07" * 3_000_001
    upload(conn, pool, "data", content)
    progress: list[int] = []
    target = tmp_path / "came"
    with target.open("wb") as file:
        came = streams.download(conn, pool.uuid, "data", file, progress=progress.append, cancelled=lambda: False)
    assert came == progress[-1] == 64 * MIB
    assert target.read_bytes() == content + bytes(64 * MIB - len(content))
    assert target.stat().st_blocks * 512 < 8 * MIB


def test_a_download_stops_when_it_is_asked_to(conn: Connection, pool: OwnPool, tmp_path: Path) -> None:
    storage.create_volume(conn, pool.uuid, Volume(name="data", capacity_bytes=MIB, format="raw"))
    with (tmp_path / "came").open("wb") as file, pytest.raises(streams.StreamCancelled):
        streams.download(conn, pool.uuid, "data", file, progress=lambda came: None, cancelled=lambda: True)
    assert storage.describe_volume(conn, pool.uuid, "data").capacity_bytes == MIB


def test_a_pool_stops_starts_and_is_forgotten_but_its_files_stay(conn: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    name = unique("pool")
    uuid = storage.define_pool(
        conn, Pool(type="dir", name=name, path=str(folder)), autostart=True, start=True, build=True
    )
    try:
        storage.create_volume(conn, uuid, Volume(name="disk", capacity_bytes=MIB, format="raw"))
        storage.stop_pool(conn, uuid)
        storage.set_pool_autostart(conn, uuid, False)
        stopped = storage.describe_pool(conn, uuid)
        assert (stopped.active, stopped.autostart) == (False, False)
        storage.start_pool(conn, uuid)
        assert storage.volume_exists(conn, uuid, "disk")
    finally:
        storage.remove_pool(conn, uuid)
    assert (folder / "disk").exists()
    assert name not in {pool.name for pool in storage.list_pools(conn)}
