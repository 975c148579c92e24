"""A domain's memory saved on its host's disk, from which its next start goes on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import InvalidState, OperationFailed, Unsupported, if_supported
from virt.translate import translated_errors

LOOK_SECONDS = 0.25


class SavingCancelled(Exception):  # noqa: N818 - nothing went wrong
    """The saving was given up because it was asked to; the guest runs on."""


@translated_errors()
def save(conn: Connection, uuid: UUID, *, progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> None:
    """Write the domain's memory to the host's disk and end it (virDomainManagedSave).

    `progress` gets the bytes written and their total four times a second (virDomainGetJobStats), and
    `cancelled` is asked as often (virDomainAbortJob). Raises SavingCancelled, NoRoom, or InvalidState where
    it does not run or is transient.
    """
    handle = conn.domain(uuid)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="save") as pool:
        saving = pool.submit(handle.managedSave, 0)
        asked = False
        while not _over(saving):
            if not asked and cancelled():
                asked = _abort(handle)
            else:
                _tell(handle, progress)
        try:
            saving.result()
        except libvirt.libvirtError:
            if asked:
                raise SavingCancelled from None
            raise


def _over(saving: "Future[int]") -> bool:
    try:
        saving.exception(timeout=LOOK_SECONDS)
    except NotYet:
        return False
    return True


def _abort(handle: libvirt.virDomain) -> bool:
    """Ask for the end of the saving; False where it had not begun, was over already, or the driver cannot end it."""
    try:
        with translated_errors():
            handle.abortJob()
    except (InvalidState, Unsupported):
        return False
    return True


def _tell(handle: libvirt.virDomain, progress: Callable[[int, int], None]) -> None:
    try:
        with translated_errors():
            stats = handle.jobStats(0)
    except (InvalidState, Unsupported):
        return  # over, and off; or a driver that does not tell
    total = stats.get("memory_total", 0)
    if total:
        progress(total - stats.get("memory_remaining", total), total)


@translated_errors()
def definition(conn: Connection, uuid: UUID) -> str:
    """The definition with which a saved domain goes on, "" where there is none; NotFound."""
    return saved_definition(conn.domain(uuid))


def saved_definition(handle: libvirt.virDomain) -> str:
    """The same of a handle: it may name what the next definition does not any more (virDomainManagedSaveGetXMLDesc)."""

    @translated_errors()
    def read() -> str:
        return handle.managedSaveGetXMLDesc(0) if handle.hasManagedSaveImage(0) else ""

    try:
        return if_supported(read) or ""
    except (InvalidState, OperationFailed):
        return ""  # it went on meanwhile, or never will: what was saved cannot be read


@translated_errors()
def discard(conn: Connection, uuid: UUID) -> None:
    """Remove a domain's saved memory, so that its next start is from the beginning (virDomainManagedSaveRemove)."""
    conn.domain(uuid).managedSaveRemove(0)
