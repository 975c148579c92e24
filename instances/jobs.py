"""What a worker does with a guest on its host."""

import base64
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Ref
from hosts.connections import connect, read_again, settled
from instances.creation import image_path
from instances.half_made import end_domain, remove_volume, undo
from instances.pixmap import png_of
from tasks.context import Context
from tasks.errors import Cancelled, JobFailed
from tasks.registry import LONG, job, question
from virt import boot, domains, metadata, saving, storage
from virt.connection import Connection
from virt.errors import InvalidState, NotFound
from virt.states import State
from virt.xml.domain import Domain
from virt.xml.own import Own

SHUTDOWN_WAIT = 90.0  # seconds
# libvirt 9.0 says that a container's init was told by its pipe, also where it has none: then a signal is all it hears.
SIGNAL_AFTER = 10.0
LOOK_SECONDS = 0.5
PNG = "image/png"
LXC = "LXC"


@job("instances.start")
def start(context: Context) -> None:
    """Start the domain; one that crashed and was kept for a look is ended first."""
    guest = context.uuid
    with connect(context.host_id) as conn:
        if domains.describe(conn, guest).state is State.CRASHED:
            domains.destroy(conn, guest)
        domains.start(conn, guest)
    settled(context)


@job("instances.start_from_cd")
def start_from_cd(context: Context) -> None:
    """Start the domain from its CD for this once; its definition stays as it is."""
    with connect(context.host_id) as conn:
        boot.start_from_cd(conn, context.uuid)
    settled(context)


@job("instances.shutdown", queue=LONG)
def shutdown(context: Context) -> None:
    """Ask the guest to shut down, and wait until it is off."""
    guest = context.uuid
    with connect(context.host_id) as conn:
        domains.shutdown(conn, guest)
        context.progress(None, _("waiting for the guest to shut down"), now=True)
        try:
            gone = wait_until_off(context, conn, guest)
        except Cancelled:
            context.say(_("The guest was asked before this was cancelled, and may still shut down."))
            raise
    if not gone:
        read_again(context)
        raise JobFailed(
            gettext_noop("The guest did not shut down"),
            gettext_noop("%(name)s was asked %(seconds)s s ago, and is not off. It may still do it."),
            hint=gettext_noop("Look at its console. Force off ends it at once, as pulling the plug would."),
            params={"name": context.task.object_name, "seconds": f"{SHUTDOWN_WAIT:.0f}"},
        )
    settled(context)


def wait_until_off(context: Context, conn: Connection, guest: UUID) -> bool:
    began = time.monotonic()
    signals = conn.driver == LXC
    while (waited := time.monotonic() - began) < SHUTDOWN_WAIT:
        context.check()
        if is_off(conn, guest):
            return True
        if signals and waited > SIGNAL_AFTER:
            with suppress(InvalidState, NotFound):  # it may end just now
                domains.shutdown(conn, guest, by_signal=True)
            signals = False
        time.sleep(LOOK_SECONDS)
    return False


def is_off(conn: Connection, guest: UUID) -> bool:
    """Whether the guest is off; a transient one that ended is gone."""
    try:
        return domains.describe(conn, guest).state is State.SHUTOFF
    except NotFound:
        return True


@job("instances.reboot")
def reboot(context: Context) -> None:
    """Ask the guest to reboot; whether it does is its own affair."""
    with connect(context.host_id) as conn:
        domains.reboot(conn, context.uuid)
    settled(context)


@job("instances.reset")
def reset(context: Context) -> None:
    """Press the reset button."""
    with connect(context.host_id) as conn:
        domains.reset(conn, context.uuid)
    settled(context)


@job("instances.destroy")
def destroy(context: Context) -> None:
    """Pull the plug."""
    with connect(context.host_id) as conn:
        domains.destroy(conn, context.uuid)
    settled(context)


@job("instances.suspend")
def suspend(context: Context) -> None:
    """Stop the guest's processors."""
    with connect(context.host_id) as conn:
        domains.suspend(conn, context.uuid)
    settled(context)


@job("instances.resume")
def resume(context: Context) -> None:
    """Let the guest's processors go on."""
    with connect(context.host_id) as conn:
        domains.resume(conn, context.uuid)
    settled(context)


@job("instances.save", queue=LONG)
def save(context: Context) -> None:
    """Write the domain's memory to the host's disk; where this is cancelled, the guest runs on."""

    def progress(written: int, total: int) -> None:
        context.progress(min(100 * written // total, 99), _("writing its memory"))

    context.progress(None, _("writing its memory"), now=True)
    with connect(context.host_id) as conn:
        try:
            saving.save(conn, context.uuid, progress=progress, cancelled=context.cancelled)
        except saving.SavingCancelled:
            raise Cancelled from None
    settled(context)


@job("instances.discard")
def discard(context: Context) -> None:
    """Remove the domain's saved memory."""
    with connect(context.host_id) as conn:
        saving.discard(conn, context.uuid)
    settled(context)


@job("instances.autostart")
def autostart(context: Context) -> None:
    """Say whether the domain starts with its host."""
    with connect(context.host_id) as conn:
        domains.set_autostart(conn, context.uuid, context.arguments["autostart"])
    settled(context)


@job("instances.edit")
def edit(context: Context) -> None:
    """Write what people say about the guest into its definition."""
    guest, wanted = context.uuid, context.arguments
    with connect(context.host_id) as conn:
        metadata.describe(
            conn, guest, title=wanted.get("title"), description=wanted.get("notes"), tags=wanted.get("tags")
        )
        if "autostart" in wanted:
            domains.set_autostart(conn, guest, wanted["autostart"])
    settled(context)


@job("instances.media")
def media(context: Context) -> None:
    """Put an image into the CD drive, or eject what is in it; a drive that the guest holds locked is forced."""
    medium = context.arguments["medium"]
    with connect(context.host_id) as conn:
        if domains.describe(conn, context.uuid).has_managed_save:
            # It goes on with the CD that it had, which would by then be said to be out, and might be deleted.
            raise InvalidState(
                gettext_noop("The guest's memory is saved, so its next start goes on from there."),
                hint=gettext_noop("Start it, or discard the saved memory first."),
            )
        path = image_path(conn, medium) if medium else None
        domains.change_media(conn, context.uuid, context.arguments["target"], path, force=True)
    settled(context)


@job("instances.delete", undo=undo)
def delete(context: Context) -> dict[str, Any]:
    """End and forget the domain, then delete its own volumes, each looked at again.

    The volumes are journalled before: where the worker ends in between, whoever cleans up deletes
    those that nobody uses any more.
    """
    guest = context.uuid
    chosen = context.arguments["volumes"]
    with connect(context.host_id) as conn:
        facts = domains.describe(conn, guest)
        disposable = {disk.path for disk in facts.disks if disk.device == "disk"}
        disposable -= {disk.path for disk in facts.disks if disk.device != "disk" or disk.readonly or disk.shareable}
        disposable -= Own.of(Domain.parse(facts.xml_inactive or facts.xml_live)).brought_paths
        entries = [entry for volume in chosen if (entry := volume_entry(context, conn, volume, disposable))]
        for entry in entries:
            context.make(**entry)
        end_domain(conn, guest)
        if facts.persistent:
            domains.undefine(conn, guest)
        deleted = [entry["name"] for entry in entries if remove_volume(context, conn, entry)]
    result = {"deleted": deleted}
    pools = {volume["pool"] for volume in chosen}
    settled(context, context.ref, *(Ref("pool", context.host_id, UUID(pool)) for pool in pools), result=result)
    return result


def volume_entry(
    context: Context, conn: Connection, volume: dict[str, str], disposable: set[str]
) -> dict[str, str] | None:
    """What the journal says of a volume to be deleted; None, and a word in the log, where it is not to be."""
    try:
        facts = storage.describe_volume(conn, UUID(volume["pool"]), volume["name"])
    except NotFound:
        context.say(_("%(path)s was gone already.") % volume)
        return None
    if facts.path not in disposable:
        kept = _("%(path)s stays: it is read-only, shared, was there before this guest or is no disk of it any more.")
        context.say(kept % {"path": facts.path})
        return None
    return {
        "what": "volume",
        "pool": volume["pool"],
        "name": volume["name"],
        "capacity": str(facts.capacity_bytes),
    }


@question("instances.screenshot")
def screenshot(host_id: int, arguments: dict[str, Any]) -> str:
    """The guest's screen now, as PNG in base64."""
    with connect(host_id) as conn:
        image, mime = domains.screenshot(conn, UUID(arguments["uuid"]))
    return base64.b64encode(image if mime == PNG else png_of(image)).decode()
