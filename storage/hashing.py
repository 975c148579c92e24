"""The SHA-256 of files on their way into the spool, worked out beside their coming, however many parts they have."""

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from storage import spool

MIB = 1024**2
# What one turn of a thread reads: other files' turns come between.
TURN_BYTES = 32 * MIB
# How far a hash may lie behind a whole file for its sender to wait for it, a fraction of a second. From
# further behind, hashing on the way to the host costs less time.
NEAR_BYTES = 512 * MIB
WAIT_SECONDS = 10.0
# Files whose hash is remembered between two parts; a longer forgotten one is begun again.
MOST_FILES = 256

threads = ThreadPoolExecutor(2, thread_name_prefix="sha256")


class Running:
    """The hash of a spool file's beginning, which follows the file as it grows.

    It reads the file again (from the page cache) rather than what comes, since parts of one file come to any worker.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sha256 = hashlib.sha256()
        self._done = 0
        self._goal = 0
        self._at_work = False
        self._changed = threading.Condition()

    def follow(self, size: int) -> None:
        """Hash the file's first `size` bytes, which will not change any more, in a thread."""
        with self._changed:
            self._goal = size
            if not self._at_work and self._done < size:
                self._at_work = True
                threads.submit(self._turn)

    def _turn(self) -> None:
        more = False
        try:
            more = self._read(min(self._goal, self._done + TURN_BYTES))
        finally:
            with self._changed:
                self._at_work = more and self._done < self._goal
                if self._at_work:
                    threads.submit(self._turn)
                self._changed.notify_all()

    def _read(self, end: int) -> bool:
        """Go on to `end`; False where the file is gone or shorter, which nobody needs a hash of."""
        view = memoryview(bytearray(MIB))
        try:
            with self._path.open("rb", buffering=0) as file:
                file.seek(self._done)
                while self._done < end:
                    count = file.readinto(view[: end - self._done])
                    if not count:
                        return False
                    self._sha256.update(view[:count])
                    self._done += count
        except OSError:
            return False
        return True

    def of(self, length: int) -> str:
        """The SHA-256 of the whole file in hexadecimal; "" where that would take long."""
        self.follow(length)
        with self._changed:
            if length - self._done > NEAR_BYTES:
                return ""
            self._changed.wait_for(lambda: not self._at_work, WAIT_SECONDS)
            return self._sha256.hexdigest() if self._done == length and not self._at_work else ""


_running: OrderedDict[UUID, Running] = OrderedDict()
_lock = threading.Lock()


def running(upload_id: UUID) -> Running:
    """The hash of an upload's file, as far as this process has come with it."""
    with _lock:
        found = _running.setdefault(upload_id, Running(spool.path_of(upload_id)))
        _running.move_to_end(upload_id)
        if len(_running) > MOST_FILES:
            _running.popitem(last=False)
    return found


def forget(upload_id: UUID) -> None:
    """Let go of it: the file has ended, or bytes were taken off its end."""
    with _lock:
        _running.pop(upload_id, None)
