"""The first bytes of a volume, by which `virt.images` tells what it is."""

from uuid import UUID

from virt.connection import Connection
from virt.images import HEAD_BYTES
from virt.translate import translated_errors


@translated_errors()
def read(conn: Connection, pool_uuid: UUID, name: str) -> bytes:
    """Return the volume's first HEAD_BYTES, or all that it has; NotFound (virStorageVolDownload)."""
    volume = conn.pool(pool_uuid).storageVolLookupByName(name)
    stream = conn.handle.newStream(0)
    volume.download(stream, 0, HEAD_BYTES, 0)
    head = bytearray()
    try:
        while len(head) < HEAD_BYTES and (chunk := stream.recv(HEAD_BYTES - len(head))):
            head += chunk
        stream.finish()
    except BaseException:
        stream.abort()
        raise
    return bytes(head)
