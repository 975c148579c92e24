"""The spool: where an upload's bytes lie until they are in a pool. A file's size is its upload's offset."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from storage.errors import NoRoom, PatchRefused

FULL = (errno.ENOSPC, errno.EDQUOT)


def path_of(upload_id: UUID) -> Path:
    """The spool file of an upload; its name is the id alone."""
    return Path(settings.SPOOL) / upload_id.hex


def free_bytes() -> int:
    """Bytes that may still be written into the spool."""
    return shutil.disk_usage(settings.SPOOL).free


def create(upload_id: UUID) -> None:
    """Make an empty spool file, for this user alone. Raises NoRoom."""
    try:
        os.close(os.open(path_of(upload_id), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        if error.errno in FULL:
            raise no_room() from error
        raise


def size_of(upload_id: UUID) -> int:
    """Bytes that have come; 0 where there is no file."""
    try:
        return path_of(upload_id).stat().st_size
    except FileNotFoundError:
        return 0


def remove(upload_id: UUID) -> None:
    path_of(upload_id).unlink(missing_ok=True)


def no_room() -> NoRoom:
    return NoRoom(_("The disk that Webvirt receives files on is full. What has come so far is kept."))


class Spool:
    """A spool file, open and held by one writer."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    @property
    def age(self) -> float:
        """Seconds since bytes last came."""
        return time.time() - os.fstat(self.descriptor).st_mtime

    def append(self, block: bytes | bytearray) -> None:
        """Write at the end. Raises NoRoom, with what fitted in written; PatchRefused 404 when the file was removed."""
        if os.fstat(self.descriptor).st_nlink == 0:
            raise PatchRefused(404, _("The upload was cancelled."))
        view = memoryview(block)
        try:
            while view:
                view = view[os.write(self.descriptor, view) :]
        except OSError as error:
            if error.errno in FULL:
                raise no_room() from error
            raise

    def cut(self, size: int) -> None:
        """Forget what came after `size` bytes."""
        os.ftruncate(self.descriptor, size)


@contextmanager
def held(upload_id: UUID) -> Iterator[Spool]:
    """Hold the file for writing, across processes; the kernel lets go of it when a process dies.

    Raises PatchRefused: 423 while somebody else holds it, 404 where there is none.
    """
    try:
        descriptor = os.open(path_of(upload_id), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    except FileNotFoundError:
        raise PatchRefused(404, _("There is no such upload."))
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PatchRefused(423, _("Another request is sending this file just now."))
        yield Spool(descriptor)
    finally:
        os.close(descriptor)
