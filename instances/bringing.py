"""Disks that a new guest takes over: each image looked at on its host, before the guest may open it."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from instances.half_made import why_kept
from storage.usage import base_path
from tasks.errors import JobFailed
from virt import heads, images, storage
from virt.connection import Connection
from virt.definition import DiskSpec
from virt.errors import NotFound
from virt.images import ImageFormat
from virt.storage import VolumeFacts
from virt.xml.domain import DiskBus

QCOW2 = "qcow2"


def bring(conn: Connection, disk: dict[str, Any]) -> DiskSpec:
    """The disk as the guest will have it.

    Raises JobFailed where it is gone, in use, or is not any more what it was when it was chosen: a guest can
    write into its disk the head of an image that is laid over any file of the host's.
    """
    places = [disk, *disk["chain"]]
    facts = [described(conn, place) for place in places]
    if reason := why_kept(conn, facts[0].path):
        raise JobFailed(
            gettext_noop("The disk is in use"),
            gettext_noop("%(volume)s cannot be this guest's disk: %(reason)s."),
            hint=gettext_noop("Choose another disk, or make a copy of this one."),
            params={"volume": disk["volume"], "reason": reason},
        )
    for number, (place, image) in enumerate(zip(places, facts, strict=True)):
        below = facts[number + 1] if number + 1 < len(facts) else None
        if not is_as_chosen(conn, place, image, below):
            raise JobFailed(
                gettext_noop("The disk has changed"),
                gettext_noop("%(volume)s is not the image any more that the host's list says."),
                hint=gettext_noop("Refresh its pool, look at what it is laid over, and choose again."),
                params={"volume": place["volume"]},
            )
    return DiskSpec(path=facts[0].path, format=disk["format"], bus=DiskBus(disk["bus"]))


def described(conn: Connection, place: dict[str, Any]) -> VolumeFacts:
    try:
        return storage.describe_volume(conn, UUID(place["pool"]), place["volume"])
    except NotFound:
        raise JobFailed(
            gettext_noop("The disk is not there"),
            gettext_noop("The host has no volume %(volume)s in its pool any more."),
            hint=gettext_noop("Choose another disk."),
            params={"volume": place["volume"]},
        )


def is_as_chosen(conn: Connection, place: dict[str, Any], image: VolumeFacts, below: VolumeFacts | None) -> bool:
    """Whether an image's list entry and its head both say what was chosen: its format, and what it is laid over."""
    base = below.path if below else ""
    if image.format != place["format"] or base_path(image.path, image.backing_path) != base:
        return False
    if image.backing_format and below and image.backing_format != below.format:
        return False
    if image.format != QCOW2:
        return True  # QEMU is told that it is raw, and looks no further
    head = images.inspect(heads.read(conn, UUID(place["pool"]), place["volume"]), image.physical_bytes)
    whole = head.format is ImageFormat.QCOW2 and not head.foreign and not head.broken
    return whole and base_path(image.path, head.backing_file or "") == base
