"""Storage pools and their volumes."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import NotFound
from virt.translate import translated_errors
from virt.xml.storage import Pool, Volume

# Older libvirts refuse the flag as unknown.
_POOL_VALIDATE_SINCE = 8_004_000


@dataclass(frozen=True)
class PoolState:
    """A pool in the list."""

    uuid: UUID
    name: str
    active: bool
    autostart: bool
    persistent: bool


@dataclass(frozen=True)
class PoolFacts:
    """A pool; sizes are bytes as of its last refresh, 0 while it is not active. `path` may be empty."""

    uuid: UUID
    name: str
    type: str
    active: bool
    autostart: bool
    persistent: bool
    path: str
    capacity_bytes: int
    allocation_bytes: int
    available_bytes: int
    xml: str


@dataclass(frozen=True)
class VolumeFacts:
    """A volume; `backing_path` is empty where it stands alone.

    `capacity_bytes` is what a guest sees, `physical_bytes` the length of the file itself, which a
    volume that is no raw image tells apart; it is the capacity where the host does not tell it.
    `written_at` is when its file was last written to, in seconds of the host's clock with their
    fraction as libvirt says them, "" where it does not.
    """

    name: str
    path: str
    format: str
    capacity_bytes: int
    allocation_bytes: int
    physical_bytes: int
    backing_path: str
    backing_format: str
    written_at: str


@translated_errors()
def list_pools(conn: Connection) -> list[PoolState]:
    """Return all pools, in four calls however many there are (virConnectListAllStoragePools)."""
    handle = conn.handle
    active = _listed(handle, libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
    autostart = _listed(handle, libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART)
    persistent = _listed(handle, libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT)
    return [
        PoolState(
            uuid=UUID(uuid := pool.UUIDString()),
            name=pool.name(),
            active=uuid in active,
            autostart=uuid in autostart,
            persistent=uuid in persistent,
        )
        for pool in handle.listAllStoragePools(0)
    ]


def _listed(handle: libvirt.virConnect, flag: int) -> set[str]:
    return {pool.UUIDString() for pool in handle.listAllStoragePools(flag)}


@translated_errors()
def describe_pool(conn: Connection, uuid: UUID) -> PoolFacts:
    """Return one pool's facts; NotFound where it is gone (virStoragePoolGetXMLDesc, virStoragePoolGetInfo)."""
    handle = conn.pool(uuid)
    xml: str = handle.XMLDesc(0)
    pool = Pool.parse(xml)
    state, capacity, allocation, available = handle.info()
    return PoolFacts(
        uuid=uuid,
        name=handle.name(),
        type=pool.type or "",
        active=state == libvirt.VIR_STORAGE_POOL_RUNNING,
        autostart=bool(handle.autostart()),
        persistent=bool(handle.isPersistent()),
        path=pool.path or "",
        capacity_bytes=capacity,
        allocation_bytes=allocation,
        available_bytes=available,
        xml=xml,
    )


@translated_errors()
def list_volumes(conn: Connection, pool_uuid: UUID) -> list[VolumeFacts]:
    """Return a pool's volumes as of its last refresh; InvalidState while it is not active.

    (virStoragePoolListAllVolumes, and virStorageVolGetXMLDesc for each)
    """
    return list(volumes_in(conn.pool(pool_uuid)))


def volumes_in(pool: libvirt.virStoragePool) -> Iterator[VolumeFacts]:
    """The facts of each volume of a pool; for virt alone, like all handles."""
    for volume in pool.listAllVolumes(0):
        try:
            yield _volume_facts(volume)
        except NotFound:
            # Deleted between the listing and the look.
            continue


@translated_errors()
def _volume_facts(handle: libvirt.virStorageVol) -> VolumeFacts:
    volume = Volume.parse(handle.XMLDesc(0))
    return VolumeFacts(
        name=handle.name(),
        path=volume.path or "",
        format=volume.format or "",
        capacity_bytes=volume.capacity_bytes or 0,
        allocation_bytes=volume.allocation_bytes or 0,
        physical_bytes=volume.physical_bytes or volume.capacity_bytes or 0,
        backing_path=volume.backing_path or "",
        backing_format=volume.backing_format or "",
        written_at=volume.written_at or "",
    )


@translated_errors()
def define_pool(conn: Connection, pool: Pool, *, autostart: bool, start: bool, build: bool) -> UUID:
    """Define a pool, make its folder with `build`, start it; nothing stays where a step fails.

    AlreadyExists where its name, UUID or path is another pool's (virStoragePoolDefineXML,
    virStoragePoolBuild, virStoragePoolCreate, virStoragePoolSetAutostart).
    """
    flags = libvirt.VIR_STORAGE_POOL_DEFINE_VALIDATE if conn.lib_version >= _POOL_VALIDATE_SINCE else 0
    handle = conn.handle.storagePoolDefineXML(pool.to_xml(), flags)
    try:
        if build:
            handle.build(0)
        if start:
            handle.create(0)
        handle.setAutostart(int(autostart))
    except libvirt.libvirtError:
        if handle.isActive():
            handle.destroy()
        handle.undefine()
        raise
    return UUID(handle.UUIDString())


@translated_errors()
def refresh_pool(conn: Connection, uuid: UUID) -> None:
    """Make libvirt look at the pool's storage again (virStoragePoolRefresh)."""
    conn.pool(uuid).refresh(0)


@translated_errors()
def start_pool(conn: Connection, uuid: UUID) -> None:
    """Make a pool active; InvalidState where it is already (virStoragePoolCreate)."""
    conn.pool(uuid).create(0)


@translated_errors()
def stop_pool(conn: Connection, uuid: UUID) -> None:
    """Make a pool inactive, what lies in it untouched; InvalidState where it is already (virStoragePoolDestroy)."""
    conn.pool(uuid).destroy()


@translated_errors()
def set_pool_autostart(conn: Connection, uuid: UUID, autostart: bool) -> None:
    """Say whether a pool starts with its host (virStoragePoolSetAutostart)."""
    conn.pool(uuid).setAutostart(int(autostart))


@translated_errors()
def remove_pool(conn: Connection, uuid: UUID) -> None:
    """Stop a pool and forget its definition; its folder and all in it stay; NotFound.

    (virStoragePoolDestroy, virStoragePoolUndefine)
    """
    handle = conn.pool(uuid)
    if handle.isActive():
        handle.destroy()
    if handle.isPersistent():
        handle.undefine()


@translated_errors()
def create_volume(conn: Connection, pool_uuid: UUID, volume: Volume) -> VolumeFacts:
    """Make a volume; AlreadyExists where the pool has its name, NoRoom (virStorageVolCreateXML)."""
    modern(volume)
    # Without VALIDATE: libvirt 9.0 offers the flag and then refuses it as unknown.
    return _volume_facts(conn.pool(pool_uuid).createXML(volume.to_xml(), 0))


def modern(volume: Volume) -> None:
    """Have a qcow2 made in version 3: of the older one, which is libvirt's own choice, none grows with snapshots."""
    if volume.format == "qcow2":
        volume.compat = "1.1"


@translated_errors()
def delete_volume(conn: Connection, pool_uuid: UUID, name: str) -> None:
    """Delete a volume and what is in it; NotFound (virStorageVolDelete)."""
    conn.pool(pool_uuid).storageVolLookupByName(name).delete(0)


@translated_errors()
def describe_volume(conn: Connection, pool_uuid: UUID, name: str) -> VolumeFacts:
    """Return one volume's facts; NotFound (virStorageVolGetXMLDesc)."""
    return _volume_facts(conn.pool(pool_uuid).storageVolLookupByName(name))


@translated_errors()
def volume_exists(conn: Connection, pool_uuid: UUID, name: str) -> bool:
    """Say whether the pool has a volume of this name, as of its last refresh (virStoragePoolListAllVolumes)."""
    return any(volume.name() == name for volume in conn.pool(pool_uuid).listAllVolumes(0))


@translated_errors()
def free_bytes(conn: Connection, pool_uuid: UUID) -> int:
    """Return a pool's free bytes as of its last refresh (virStoragePoolGetInfo)."""
    available: int = conn.pool(pool_uuid).info()[3]
    return available
