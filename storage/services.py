"""What can be done with pools, beside uploads."""

from typing import Any
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, Ref, require
from hosts.models import Host
from hosts.services import change
from storage.folders import fault_of_folder, fault_of_pool
from storage.models import Pool, Upload
from tasks import services as tasks
from tasks.errors import Refused, faults, refuse
from tasks.models import Task
from tasks.registry import LONG

CREATE_POOL = "storage.create_pool"
DEFAULT_POOL = "default"
REFRESH_SECONDS = 900


def ensure_default_pool(*, host: Host, actor: User) -> Task:
    """Ask for the pool `default` where the host has none; asked before the host is known to be up."""
    target = Ref("pool", host.pk, None, DEFAULT_POOL)
    require(actor, Action.MANAGE, target)
    return tasks.ask_for(
        "storage.make_default_pool",
        actor=actor,
        target=target,
        host_name=host.name,
        lock_key=f"pool:{host.pk}:{DEFAULT_POOL}",
    )


def refresh_pool(*, pool: Pool, actor: User, key: str | None = None) -> Task:
    """Ask the host to look again at what lies in the pool."""
    return change(
        "storage.refresh_pool",
        host=pool.host,
        target=pool.ref,
        actor=actor,
        action=Action.OPERATE,
        key=key,
        lock_key=pool.lock_key,
        queue=LONG,
        limit=REFRESH_SECONDS,
    )


def create_pool(
    *, host: Host, name: str, path: str, actor: User, autostart: bool = True, key: str | None = None
) -> Task:
    """Ask for a pool on a folder of the host, made where it is missing. Raises PermissionDenied, HostAway, Invalid.

    For administrators alone: whoever chooses a folder may read and write all that lies in it.
    """
    name = name.strip()
    asked = {"path": path, "autostart": autostart}

    def check() -> None:
        named = Pool.objects.filter(host=host, name=name).exists()
        taken = Pool.objects.filter(host=host, path=path).first()
        refuse(
            faults(
                name=fault_of_pool(name) or (_("This host has a pool of this name already.") if named else ""),
                path=fault_of_folder(path)
                or (_("The pool %(pool)s lies in this folder already.") % {"pool": taken.name} if taken else ""),
            )
        )

    return change(
        CREATE_POOL,
        host=host,
        target=Ref("pool", host.pk, uuid4(), name),
        actor=actor,
        action=Action.ADMINISTER,
        key=key,
        arguments=asked,
        request=asked,
        lock_key=f"pool:{host.pk}:{name}",
        check=check,
    )


def start_pool(*, pool: Pool, actor: User, key: str | None = None) -> Task:
    """Ask for a pool's start. Raises PermissionDenied, HostAway, Refused where it is active."""

    def check() -> None:
        if pool.is_active:
            raise Refused(_("The pool %(pool)s is active already.") % {"pool": pool.name})

    return change_pool("start", pool, actor=actor, key=key, check=check)


def stop_pool(*, pool: Pool, actor: User, key: str | None = None) -> Task:
    """Ask that a pool becomes inactive; what lies in it stays. Raises PermissionDenied, HostAway, Refused."""

    def check() -> None:
        if pool.state == Pool.State.INACTIVE:
            raise Refused(_("The pool %(pool)s is not active.") % {"pool": pool.name})
        refuse_busy(pool)

    return change_pool("stop", pool, actor=actor, key=key, check=check)


def set_pool_autostart(*, pool: Pool, autostart: bool, actor: User, key: str | None = None) -> Task:
    """Ask that a pool starts with its host, or that it does not. Refused for a transient one."""

    def check() -> None:
        if not pool.persistent:
            raise Refused(_("%(name)s is transient: its host forgets it when it is stopped.") % {"name": pool.name})

    return change_pool("autostart", pool, actor=actor, key=key, arguments={"autostart": autostart}, check=check)


def remove_pool(*, pool: Pool, actor: User, key: str | None = None) -> Task:
    """Ask that the host forgets a pool; its folder and all that lies in it stay. Raises as `stop_pool`."""
    return change_pool("remove", pool, actor=actor, key=key, check=lambda: refuse_busy(pool))


def change_pool(verb: str, pool: Pool, **more: Any) -> Task:
    return change(
        f"storage.{verb}_pool",
        host=pool.host,
        target=pool.ref,
        action=Action.MANAGE,
        lock_key=pool.lock_key,
        **more,
    )


def work_in(pool: Pool, volume: str = "") -> QuerySet[Task]:
    """Our unfinished tasks that write or read in a pool, or at one volume of it."""
    on_it, from_it = Q(object_type="volume", object_uuid=pool.uuid), Q(arguments__source_pool=str(pool.uuid))
    if volume:
        on_it, from_it = on_it & Q(object_name=volume), from_it & Q(arguments__source=volume)
    return Task.objects.unfinished().filter(on_it | from_it, host_id=pool.host_id)


def refuse_busy(pool: Pool) -> None:
    """Raise Refused while a task of ours works in the pool, or a file is on its way into it."""
    if work_in(pool).exists() or pool.uploads.filter(state__in=[Upload.State.OPEN, Upload.State.RECEIVED]).exists():
        raise Refused(_("Something is being done in the pool %(pool)s just now.") % {"pool": pool.name})
