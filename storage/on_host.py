"""What a worker looks at on a host, just before it changes a volume there."""

import time
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tasks.context import Context
from virt import domains, usage
from virt import storage as pools
from virt.connection import Connection
from virt.errors import AlreadyExists, Busy, InvalidState, NoRoom, NotFound, OperationFailed
from virt.states import State
from virt.storage import VolumeFacts
from webvirt.units import size

# libvirt refuses to read a pool again while it writes into it for somebody else.
REFRESH_TRIES = 5
REFRESH_PAUSE = 1.0


def require_place(conn: Connection, pool_uuid: UUID, name: str, needed: int) -> None:
    """Raise unless the pool is active, has no volume of this name, and `needed` bytes free."""
    pool = pools.describe_pool(conn, pool_uuid)
    if not pool.active:
        raise InvalidState(
            gettext_noop("The pool %(pool)s is not active."),
            hint=gettext_noop("Start the pool, then try again."),
            params={"pool": pool.name},
        )
    if pools.volume_exists(conn, pool_uuid, name):
        raise taken(pool.name, name)
    require_room(conn, pool_uuid, name, needed)


def require_room(conn: Connection, pool_uuid: UUID, name: str, needed: int) -> None:
    pool = pools.describe_pool(conn, pool_uuid)
    if pool.available_bytes < needed:
        raise NoRoom(
            gettext_noop("%(name)s needs %(size)s, and the pool %(pool)s has %(free)s free."),
            params={"name": name, "size": size(needed), "pool": pool.name, "free": size(pool.available_bytes)},
        )


def taken(pool: str, name: str) -> AlreadyExists:
    return AlreadyExists(
        gettext_noop("The pool %(pool)s has a volume %(name)s already."),
        hint=gettext_noop("Remove that volume and try again, or choose another name."),
        params={"pool": pool, "name": name},
    )


def require_not_base(conn: Connection, path: str) -> None:
    if usage.laid_over(conn, path):
        raise InvalidState(
            gettext_noop("Another volume is built on this one, and would be damaged."),
            hint=gettext_noop("Delete what is built on it first."),
        )


def require_unused(conn: Connection, path: str) -> None:
    """Raise while a guest or another volume needs the image. Guests are not named: not everybody may see them."""
    require_not_base(conn, path)
    if usage.users_of(conn, path):
        if not usage.users_of(conn, path, kept=False):
            raise InvalidState(
                gettext_noop("A guest's snapshot or saved memory needs this volume."),
                hint=gettext_noop("Delete that snapshot, or let the guest go on from its saved memory, first."),
            )
        raise InvalidState(
            gettext_noop("A guest uses this volume."),
            hint=gettext_noop("Take it out of the guest first, or delete the guest."),
        )


def require_still(conn: Connection, path: str) -> None:
    """Raise while a running guest writes to the image, whose copy would be of no moment at all."""
    users = [uuid for uuid, _name in usage.users_of(conn, path)]
    if any(usage.running_disk(conn, uuid, path) or usage.mounted(conn, uuid, path) for uuid in users):
        raise InvalidState(
            gettext_noop("A running guest writes to this volume, and a copy of it would be torn."),
            hint=gettext_noop("Shut the guest down first."),
        )


def require_untouched(conn: Connection, pool: UUID, before: VolumeFacts) -> None:
    """Raise where a guest writes to an image that was just read, or anybody wrote to it since `before`.

    What was read would pass for a copy and be torn. Of a volume that is no file libvirt tells no time: there only
    a guest that still runs is found.
    """
    require_still(conn, before.path)
    if pools.describe_volume(conn, pool, before.name).written_at != before.written_at:
        raise InvalidState(
            gettext_noop("%(name)s was written to while it was read: what came of it would be torn."),
            hint=gettext_noop("Try again while no guest that uses it is started."),
            params={"name": before.name},
        )


def running_users(conn: Connection, path: str) -> list[UUID]:
    """The guests that use the image and are not off."""
    found = []
    for uuid, _name in usage.users_of(conn, path):
        try:
            if domains.describe(conn, uuid).state is not State.SHUTOFF:
                found.append(uuid)
        except NotFound:
            continue
    return found


def refresh(conn: Connection, context: Context, pool: UUID) -> bool:
    """Have libvirt read what lies in the pool again; False, and said in the log, where it is too busy for that."""
    for _try in range(REFRESH_TRIES):
        try:
            pools.refresh_pool(conn, pool)
        except (Busy, InvalidState, OperationFailed):
            time.sleep(REFRESH_PAUSE)
        else:
            return True
    context.say(_("The pool could not be read again yet: its list shows that after its next refresh."))
    return False
