"""What can be done with volumes, beside uploading them."""

import posixpath
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, Ref, require
from hosts.services import change
from storage import downloads
from storage.filenames import fault_of
from storage.formats import DISKS, FOLDER, of_pool
from storage.models import Pool, Volume
from storage.uploads import fault_of_taken, unpromised_bytes, volume_lock
from storage.usage import bases_on, uses_of
from tasks.errors import Refused, faults, refuse
from tasks.models import Task
from tasks.registry import LONG
from webvirt.sentences import listed
from webvirt.units import size

MIB = 1024**2
LEAST_BYTES = MIB
BLOCK = 4096  # sizes are rounded up to it, as every format and sector size allows
# The hard time limit of a task that moves bytes: this many seconds, and those that they take at a slow disk's pace.
LEAST_SECONDS = 600
SLOWEST_BYTES_PER_SECOND = 2 * MIB


def create_volume(*, pool: Pool, name: str, format: str, size_bytes: int, actor: User, key: str | None = None) -> Task:
    """Ask for an empty volume. Raises PermissionDenied, HostAway, Refused where the pool is not active, Invalid."""

    def check() -> None:
        require_active(pool)
        errors = faults(name=fault_of_new(pool, name), size_bytes=fault_of_size(pool, size_bytes))
        if format not in of_pool(pool.type):
            errors["format"] = [_("Such a pool has volumes of these formats: %s.") % listed(of_pool(pool.type))]
        refuse(errors)

    wanted = {"format": format, "size_bytes": -(-size_bytes // BLOCK) * BLOCK}
    return change_volume("create", pool, name, actor=actor, key=key, arguments=wanted, check=check)


def grow_volume(*, volume: Volume, size_bytes: int, actor: User, key: str | None = None) -> Task:
    """Ask for a larger volume, under a running guest too. Raises as `create_volume`."""

    def check() -> None:
        require_active(volume.pool)
        if volume.format not in DISKS:
            raise Refused(_("Its format is %(format)s, which does not grow.") % {"format": volume.format})
        if size_bytes <= volume.capacity_bytes:
            has = {"size": size(volume.capacity_bytes, exact=True)}
            refuse({"size_bytes": [_("It has %(size)s already; a volume can only grow.") % has]})
        refuse(faults(size_bytes=fault_of_size(volume.pool, size_bytes - volume.capacity_bytes, least=1)))

    wanted = {"size_bytes": -(-size_bytes // BLOCK) * BLOCK}
    return change_volume("grow", volume.pool, volume.name, actor=actor, key=key, arguments=wanted, check=check, slow=0)


def clone_volume(*, volume: Volume, name: str, actor: User, pool: Pool | None = None, key: str | None = None) -> Task:
    """Ask for a copy that stands alone, in `pool`, or beside the original. Raises as `create_volume`."""
    into = pool or volume.pool
    require(actor, Action.MANAGE, volume.ref)

    def check() -> None:
        require_file(volume)
        require_active(into)
        errors = faults(name=fault_of_new(into, name))
        if into.host_id != volume.pool.host_id:
            errors["pool"] = [_("This pool is on another host.")]
        refuse(errors)

    source = {"source_pool": str(volume.pool.uuid), "source": volume.name}
    return change_volume(
        "clone", into, name, actor=actor, key=key, arguments=source, check=check, slow=volume.capacity_bytes
    )


def delete_volume(*, volume: Volume, actor: User, key: str | None = None) -> Task:
    """Ask for a volume's end. Raises PermissionDenied, HostAway, Refused while somebody needs it."""

    def check() -> None:
        require_active(volume.pool)
        if reason := why_kept(volume, actor):
            raise Refused(reason)

    return change_volume("delete", volume.pool, volume.name, actor=actor, key=key, check=check, slow=0)


def download_volume(*, volume: Volume, actor: User, key: str | None = None) -> Task:
    """Ask for a volume's content: the task's result has the `url` where it is for 24 h. Raises as `delete_volume`."""
    return change_volume(
        "download",
        volume.pool,
        volume.name,
        actor=actor,
        key=key,
        check=lambda: require_file(volume),
        slow=volume.capacity_bytes,
    )


def worth_alone(volume: Volume) -> str:
    """What the image lacks that is laid over another one, in words; "" of one that stands alone."""
    if not volume.backing_path:
        return ""
    return _(
        "%(name)s holds only what differs from %(base)s, on which it is built: without that, it is worth nothing. "
        "Download %(base)s too, or clone %(name)s and download the clone, which stands alone."
    ) % {"name": volume.name, "base": posixpath.basename(volume.backing_path)}


def change_volume(verb: str, pool: Pool, name: str, *, slow: int | None = None, **more: Any) -> Task:
    """The door of `hosts.services.change` for one volume; with `slow`, how many bytes of work it is at most."""
    pace: dict[str, Any] = (
        {} if slow is None else {"queue": LONG, "limit": LEAST_SECONDS + slow // SLOWEST_BYTES_PER_SECOND}
    )
    return change(
        downloads.KIND if verb == "download" else f"storage.{verb}_volume",
        host=pool.host,
        target=Ref("volume", pool.host_id, pool.uuid, name),
        action=Action.MANAGE,
        lock_key=volume_lock(pool, name),
        **pace,
        **more,
    )


def why_kept(volume: Volume, viewer: Any) -> str:
    """Why the volume cannot be deleted, as rows tell; "" where it can. Guests are named to whoever may see them."""
    if uses := uses_of([volume], viewer).get(volume.pk):
        names = [use.name or _("a guest that you may not see") for use in uses]
        return _("%(name)s is used by: %(guests)s.") % {"name": volume.name, "guests": listed(names)}
    if (volume.pool.host_id, volume.path) in bases_on([volume.pool.host_id]):
        return _("Another volume is built on this one, and would be damaged.")
    return ""


def require_active(pool: Pool) -> None:
    if not pool.is_active:
        raise Refused(_("The pool %(pool)s is not active.") % {"pool": pool.name})


def require_file(volume: Volume) -> None:
    """Raise Refused unless there is something to read there."""
    require_active(volume.pool)
    if volume.format == FOLDER:
        raise Refused(_("%(name)s is a folder.") % {"name": volume.name})


def fault_of_new(pool: Pool, name: str) -> str:
    return str(fault_of(name) or fault_of_taken(pool, name))


def fault_of_size(pool: Pool, size_bytes: int, *, least: int = LEAST_BYTES) -> str:
    if size_bytes < least:
        return _("A volume needs at least %(size)s.") % {"size": size(least, exact=True)}
    if size_bytes > (free := max(unpromised_bytes(pool), 0)):
        return _("%(pool)s has %(size)s free.") % {"pool": pool.name, "size": size(free)}
    return ""
