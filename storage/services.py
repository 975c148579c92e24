"""What can be done with pools, beside uploads."""

from accounts.models import User
from accounts.rights import Action, Ref, require
from hosts.models import Host
from hosts.services import change
from storage.models import Pool
from tasks import services as tasks
from tasks.models import Task
from tasks.registry import LONG

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
        lock_key=f"pool:{pool.host_id}:{pool.uuid}",
        queue=LONG,
        limit=REFRESH_SECONDS,
    )
