"""Changes of volumes that are there: growing them, and making others from them."""

from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.storage import modern
from virt.translate import translated_errors
from virt.xml.storage import Volume


@translated_errors()
def grow(conn: Connection, pool_uuid: UUID, name: str, size_bytes: int) -> None:
    """Make a volume that no running domain has as large as `size_bytes`; NotFound, NoRoom (virStorageVolResize)."""
    conn.pool(pool_uuid).storageVolLookupByName(name).resize(size_bytes, 0)


@translated_errors()
def grow_running(conn: Connection, domain: UUID, target: str, size_bytes: int) -> None:
    """Make the disk `target` (`vda`) of a running domain as large as `size_bytes`; it sees that at once.

    InvalidState where the domain does not run (virDomainBlockResize).
    """
    conn.domain(domain).blockResize(target, size_bytes, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)


@translated_errors()
def clone(conn: Connection, pool_uuid: UUID, volume: Volume, source_pool: UUID, source: str) -> None:
    """Make a volume with another one's content, and wait until it is whole.

    An image that is laid over others becomes one that stands alone. Nothing stays where it fails; there is no
    way to stop it. AlreadyExists, NoRoom (virStorageVolCreateXMLFrom).
    """
    modern(volume)
    pool = conn.pool(pool_uuid)
    original = conn.pool(source_pool).storageVolLookupByName(source)
    pool.createXMLFrom(volume.to_xml(), original, 0)
