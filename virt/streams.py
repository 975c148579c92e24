"""Data into volumes and out of them, in pieces, on any transport."""

import hashlib
import queue
import threading
from collections.abc import Callable
from typing import BinaryIO
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import OperationFailed
from virt.translate import translated_errors
from virt.words import gettext_noop

# What one message of every libvirt carries. A larger send is taken in part, and the rest would be copied.
CHUNK_BYTES = 262_120
# Pieces that wait for their hash: few, so that a transfer's memory stays what it is.
PIECES_AHEAD = 16
HOLE = -3  # what recvFlags answers instead of data


class StreamCancelled(Exception):  # noqa: N818 - nothing went wrong
    """The transfer was stopped because it was asked to."""


class Digest:
    """A SHA-256 that is worked out in a thread of its own, beside what the sending does."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._pieces: queue.Queue[bytes | None] = queue.Queue(PIECES_AHEAD)
        self._thread = threading.Thread(target=self._run, name="sha256", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            self._digest.update(piece)

    def add(self, piece: bytes) -> None:
        self._pieces.put(piece)

    def close(self) -> str:
        """Wait for what was added; the digest in hexadecimal."""
        self._pieces.put(None)
        self._thread.join()
        return self._digest.hexdigest()


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
    stream = conn.handle.newStream(0)
    handle.upload(stream, 0, length, 0)
    digest = Digest() if sha256 else None
    try:
        sent = 0
        while sent < length:
            if cancelled():
                raise StreamCancelled
            chunk = source.read(min(CHUNK_BYTES, length - sent))
            if not chunk:
                raise OperationFailed(gettext_noop("The file ended before its announced length."))
            if digest:
                digest.add(chunk)
            _send(stream, chunk)
            sent += len(chunk)
            progress(sent)
        stream.finish()
    except BaseException:
        stream.abort()
        raise
    finally:
        found = digest.close() if digest else ""
    return found


def _send(stream: libvirt.virStream, chunk: bytes) -> None:
    """Send all of a piece: one call may take less than it is given."""
    done = stream.send(chunk)
    while done < len(chunk):
        done += stream.send(chunk[done:])


@translated_errors()
def download(
    conn: Connection,
    pool_uuid: UUID,
    volume: str,
    target: BinaryIO,
    *,
    progress: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> int:
    """Write a volume's content to the empty file `target`; holes stay holes (virStorageVolDownload).

    `progress` gets the bytes dealt with so far, holes among them, after every piece, and `cancelled` is asked
    before each. Returns the bytes that the file has in the end. Raises StreamCancelled, NotFound, or OSError
    where `target` takes no more.
    """
    handle = conn.pool(pool_uuid).storageVolLookupByName(volume)
    stream = conn.handle.newStream(0)
    handle.download(stream, 0, 0, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)
    try:
        came = 0
        while True:
            if cancelled():
                raise StreamCancelled
            piece = stream.recvFlags(CHUNK_BYTES, libvirt.VIR_STREAM_RECV_STOP_AT_HOLE)
            if piece == HOLE:
                came += stream.recvHole()
                target.seek(came)
            elif piece:
                target.write(piece)
                came += len(piece)
            else:
                break
            progress(came)
        stream.finish()
    except BaseException:
        stream.abort()
        raise
    # A file that ends with a hole has nothing written there.
    target.truncate(came)
    return came
