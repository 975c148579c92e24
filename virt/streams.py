"""Data into volumes, in pieces, on any transport."""

import hashlib
from collections.abc import Callable
from typing import BinaryIO
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import OperationFailed
from virt.translate import translated_errors
from virt.words import gettext_noop

# Measured: sends of 256 KiB to 1 MiB are equally fast, larger ones slower.
CHUNK_BYTES = 512 * 1024


class StreamCancelled(Exception):  # noqa: N818 - nothing went wrong
    """The transfer was stopped because it was asked to."""


@translated_errors()
def upload(
    conn: Connection,
    pool_uuid: UUID,
    volume: str,
    source: BinaryIO,
    length: int,
    *,
    progress: Callable[[int], None],
    cancelled: Callable[[], bool],
    sha256: bool,
) -> str:
    """Write `length` bytes of `source` to the volume's start (virStorageVolUpload).

    `progress` gets the bytes sent so far after every piece, and `cancelled` is asked before each.
    Returns the SHA-256 of what was sent in hexadecimal, or "" without `sha256`. Raises
    StreamCancelled, NotFound, NoRoom, or OperationFailed where the source is shorter; the volume
    then holds what came so far, and removing it is up to the caller.
    """
    handle = conn.pool(pool_uuid).storageVolLookupByName(volume)
    digest = hashlib.sha256()
    stream = conn.handle.newStream(0)
    handle.upload(stream, 0, length, 0)
    try:
        sent = 0
        while sent < length:
            if cancelled():
                raise StreamCancelled
            chunk = source.read(min(CHUNK_BYTES, length - sent))
            if not chunk:
                raise OperationFailed(gettext_noop("The file ended before its announced length."))
            if sha256:
                digest.update(chunk)
            _send(stream, chunk)
            sent += len(chunk)
            progress(sent)
        stream.finish()
    except BaseException:
        stream.abort()
        raise
    return digest.hexdigest() if sha256 else ""


def _send(stream: libvirt.virStream, chunk: bytes) -> None:
    """Send all of a piece: one call may take less than it is given."""
    done = stream.send(chunk)
    while done < len(chunk):
        done += stream.send(chunk[done:])
