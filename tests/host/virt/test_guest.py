"""A guest on real libvirt and QEMU, from its definition to its end."""

import os
import socket
import struct
import zlib
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from instances.names import BEGINNING_BYTES, BEGINNING_CHARACTERS
from tests.host.virt.conftest import PREFIX, OwnPool, unique
from tests.waiting import wait_for
from virt import domains, events, hosts, stats, storage, streams
from virt.connection import Connection
from virt.definition import DiskSpec, GuestSpec, build
from virt.errors import AlreadyExists, InvalidDefinition, InvalidState, NotFound, OperationFailed
from virt.states import State
from virt.xml.capabilities import DomainCapabilities
from virt.xml.domain import DiskBus, Domain, VirtType
from virt.xml.storage import Volume

MIB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
INSTALLER_BLUE = (0, 0, 0xAA)

pytestmark = pytest.mark.usefixtures("clean_domains")


def spec_of(**changes: object) -> GuestSpec:
    values: dict[str, object] = {
        "uuid": uuid4(),
        "name": unique("guest"),
        "vcpus": 1,
        "memory_bytes": 256 * MIB,
        "virt_type": VirtType.QEMU,
    }
    return GuestSpec(**(values | changes))  # type: ignore[arg-type]


def define(conn: Connection, spec: GuestSpec) -> UUID:
    facts = hosts.describe(conn)
    return domains.define(conn, build(spec, DomainCapabilities.parse(facts.domcapabilities_xml)))


def make_volume(conn: Connection, pool: OwnPool, name: str, size: int, format: str) -> str:
    return storage.create_volume(conn, pool.uuid, Volume(name=name, capacity_bytes=size, format=format)).path


def put_iso(conn: Connection, pool: OwnPool, iso: Path) -> str:
    size = iso.stat().st_size
    path = make_volume(conn, pool, "installer.iso", size, "raw")
    with iso.open("rb") as source:
        streams.upload(
            conn,
            pool.uuid,
            "installer.iso",
            source,
            size,
            progress=lambda sent: None,
            cancelled=lambda: False,
            sha256=False,
        )
    return path


def corner_of(image: bytes, mime: str) -> tuple[int, int, int]:
    """The colour of a screen's first pixel, which PNG's filters leave as it is."""
    assert mime == "image/png"
    assert image.startswith(PNG)
    at, packed = len(PNG), b""
    while at < len(image):
        length, kind = struct.unpack_from(">I4s", image, at)
        packed += image[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    red, green, blue = zlib.decompress(packed)[1:4]
    return red, green, blue


def state_of(conn: Connection, uuid: UUID) -> State:
    return next(domain.state for domain in domains.list_all(conn) if domain.uuid == uuid)


def test_a_guest_starts_pauses_goes_on_and_ends(conn: Connection) -> None:
    spec = spec_of(title="客户机 <&>")
    uuid = define(conn, spec)
    assert uuid == spec.uuid
    facts = domains.describe(conn, uuid)
    assert (facts.state, facts.title, facts.max_memory_bytes) == (State.SHUTOFF, "客户机 <&>", 256 * MIB)
    domains.start(conn, uuid)
    assert state_of(conn, uuid) is State.RUNNING
    with pytest.raises(InvalidState, match="already running"):
        domains.start(conn, uuid)
    domains.suspend(conn, uuid)
    assert state_of(conn, uuid) is State.PAUSED
    domains.resume(conn, uuid)
    domains.reset(conn, uuid)
    wait_for(lambda: (stats.sample(conn)[uuid].cpu_time_ns or 0) > 0)
    wait_for(lambda: (stats.sample(conn)[uuid].balloon_rss_bytes or 0) > MIB)
    domains.destroy(conn, uuid)
    assert state_of(conn, uuid) is State.SHUTOFF
    with pytest.raises(InvalidState, match="not running"):
        domains.destroy(conn, uuid)
    domains.undefine(conn, uuid)
    with pytest.raises(NotFound):
        domains.describe(conn, uuid)


def test_the_installer_shows_on_the_screen(conn: Connection, pool: OwnPool, installer_iso: Path) -> None:
    disk = make_volume(conn, pool, "disk.qcow2", 1024 * MIB, "qcow2")
    spec = spec_of(memory_bytes=1024 * MIB, disks=(DiskSpec(disk),), cdrom=put_iso(conn, pool, installer_iso))
    uuid = define(conn, spec)
    domains.start(conn, uuid)
    # The empty disk is passed over, and the installer paints its backdrop.
    wait_for(lambda: corner_of(*domains.screenshot(conn, uuid)) == INSTALLER_BLUE, timeout=120)


def test_a_guest_with_uefi_starts_and_leaves_no_nvram(conn: Connection) -> None:
    uuid = define(conn, spec_of(firmware="uefi"))
    domains.start(conn, uuid)
    facts = domains.describe(conn, uuid)
    assert facts.firmware == "uefi"
    nvram = Domain.parse(facts.xml_live).nvram
    assert nvram is not None
    assert Path(nvram).exists()
    domains.destroy(conn, uuid)
    domains.undefine(conn, uuid)
    assert not Path(nvram).exists()


def test_every_disk_bus_on_offer_is_accepted(conn: Connection, pool: OwnPool) -> None:
    disks = tuple(
        DiskSpec(make_volume(conn, pool, f"{bus}.qcow2", MIB, "qcow2"), bus=bus)
        for bus in (DiskBus.VIRTIO, DiskBus.SATA, DiskBus.SCSI, DiskBus.USB)
    )
    uuid = define(conn, spec_of(disks=disks))
    domains.start(conn, uuid)
    facts = domains.describe(conn, uuid)
    assert [disk.target for disk in facts.disks] == ["vda", "sda", "sdb", "sdc"]


def test_the_screen_of_a_guest_that_is_off_is_refused(conn: Connection) -> None:
    uuid = define(conn, spec_of())
    with pytest.raises(InvalidState):
        domains.screenshot(conn, uuid)


def test_the_display_answers_as_vnc(conn: Connection) -> None:
    uuid = define(conn, spec_of())
    domains.start(conn, uuid)
    with socket.socket(fileno=domains.graphics_fd(conn, uuid)) as display:
        display.settimeout(5)
        assert display.recv(4) == b"RFB "


def test_media_change_now_and_for_the_next_start(conn: Connection, pool: OwnPool) -> None:
    first = make_volume(conn, pool, "first.iso", MIB, "raw")
    second = make_volume(conn, pool, "second.iso", MIB, "raw")
    uuid = define(conn, spec_of(cdrom=first))
    domains.start(conn, uuid)
    domains.change_media(conn, uuid, "sda", second)
    assert second in domains.describe(conn, uuid).xml_live
    assert second in domains.describe(conn, uuid).xml_inactive
    domains.change_media(conn, uuid, "sda", None)
    facts = domains.describe(conn, uuid)
    assert [disk.path for disk in facts.disks] == [""]
    assert second not in facts.xml_inactive
    with pytest.raises(NotFound):
        domains.change_media(conn, uuid, "sdz", first)


def test_a_name_that_virsh_took_is_taken(conn: Connection) -> None:
    spec = spec_of()
    define(conn, spec)
    assert domains.name_taken(conn, spec.name)
    assert not domains.name_taken(conn, unique("free"))
    with pytest.raises(AlreadyExists):
        define(conn, spec_of(name=spec.name))


def test_a_name_that_libvirt_does_not_take_is_refused(conn: Connection) -> None:
    with pytest.raises(InvalidDefinition):
        define(conn, spec_of(name=unique("../../etc")))


def test_every_change_is_an_event_on_another_connection(conn: Connection) -> None:
    noted: list[tuple[str, str]] = []
    spec = spec_of()
    subscription = events.subscribe(
        conn, lambda event: noted.append((event.kind, event.detail)) if event.uuid == spec.uuid else None
    )
    define(conn, spec)
    domains.start(conn, spec.uuid)
    domains.suspend(conn, spec.uuid)
    domains.resume(conn, spec.uuid)
    domains.reset(conn, spec.uuid)
    domains.destroy(conn, spec.uuid)
    domains.undefine(conn, spec.uuid)
    wait_for(lambda: ("lifecycle", "undefined") in noted)
    assert {("lifecycle", word) for word in ("defined", "started", "suspended", "resumed", "stopped")} <= set(noted)
    assert ("reboot", "") in noted
    subscription.close()
    assert {"domain lifecycle", "pool refresh", "network lifecycle", "secret lifecycle"} <= set(subscription.kinds)


def test_autostart_is_seen_in_the_list(conn: Connection) -> None:
    uuid = define(conn, spec_of())
    domains.set_autostart(conn, uuid, True)
    listed = next(domain for domain in domains.list_all(conn) if domain.uuid == uuid)
    assert (listed.autostart, listed.persistent, listed.managed_save) == (True, True, False)


def test_a_port_of_the_display_is_told_only_while_it_runs(conn: Connection) -> None:
    uuid = define(conn, spec_of())
    assert domains.describe(conn, uuid).graphics[0].port is None
    domains.start(conn, uuid)
    graphics = domains.describe(conn, uuid).graphics[0]
    assert graphics.listen == "127.0.0.1"
    assert graphics.port is not None
    assert graphics.port >= 5900
    descriptor = domains.graphics_fd(conn, uuid)
    os.close(descriptor)


def test_a_name_of_as_many_bytes_as_one_may_have_starts(conn: Connection) -> None:
    """libvirt calls the agent's socket after the name's beginning, and a socket's path is short."""
    beginning = PREFIX + "界" * (BEGINNING_CHARACTERS - len(PREFIX))
    assert len(beginning.encode()) == BEGINNING_BYTES
    guest = define(conn, spec_of(name=f"{beginning}-{uuid4().hex[:8]}"))
    domains.start(conn, guest)
    assert domains.describe(conn, guest).state is State.RUNNING


def test_a_start_without_its_disk_says_so(conn: Connection, pool: OwnPool) -> None:
    path = make_volume(conn, pool, "disk.qcow2", MIB, "qcow2")
    guest = define(conn, spec_of(disks=(DiskSpec(path=path, format="qcow2", bus=DiskBus.VIRTIO),)))
    Path(path).unlink()
    with pytest.raises(OperationFailed, match="not on the host any more"):
        domains.start(conn, guest)
