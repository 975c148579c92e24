"""Removing what a job has half made, by its journal, and never what is somebody else's."""

from uuid import UUID

from django.utils.translation import gettext as _

from accounts.rights import Ref
from hosts.connections import connect, read_again
from tasks.context import Context
from virt import domains, storage, usage
from virt.connection import Connection
from virt.errors import InvalidState, NotFound
from virt.states import State
from webvirt.sentences import listed


def undo(context: Context) -> None:
    """Remove, last first, what the journal names: the guest by its UUID, volumes by name and capacity."""
    touched = {context.ref}
    with connect(context.host_id) as conn:
        for entry in reversed(list(context.task.made)):
            if entry["what"] == "domain":
                remove_domain(conn, UUID(entry["uuid"]))
            else:
                remove_volume(context, conn, entry)
                touched.add(Ref("pool", context.host_id, UUID(entry["pool"])))
            context.unmake(**entry)
    read_again(context, *touched)


def remove_domain(conn: Connection, uuid: UUID) -> None:
    """End and forget a domain; one that is gone is gone."""
    try:
        end_domain(conn, uuid)
        domains.undefine(conn, uuid)
    except NotFound:
        return


def end_domain(conn: Connection, uuid: UUID) -> None:
    """Force a domain off, unless it is off already or ends by itself meanwhile."""
    if domains.describe(conn, uuid).state is State.SHUTOFF:
        return
    try:
        domains.destroy(conn, uuid)
    except InvalidState:
        return


def remove_volume(context: Context, conn: Connection, entry: dict[str, str]) -> bool:
    """Delete the volume that the journal's `entry` names, if it is that one and nobody uses it; say what came of it."""
    pool = UUID(entry["pool"])
    try:
        volume = storage.describe_volume(conn, pool, entry["name"])
    except NotFound:
        return False
    reason = why_kept(conn, volume.path)
    if volume.capacity_bytes != int(entry["capacity"]):
        reason = _("its size is another than that of the one meant")
    if reason:
        context.say(_("%(path)s stays: %(reason)s.") % {"path": volume.path, "reason": reason})
        return False
    storage.delete_volume(conn, pool, entry["name"])
    context.say(_("%(path)s is deleted.") % {"path": volume.path})
    return True


def why_kept(conn: Connection, path: str) -> str:
    """Who uses the image at `path`, or is laid over it, in words; "" where nobody does."""
    users = [name for _uuid, name in usage.users_of(conn, path)]
    if users:
        return _("%(names)s uses it") % {"names": listed(users)}
    above = usage.laid_over(conn, path)
    return _("%(names)s is built on it") % {"names": listed(above)} if above else ""
