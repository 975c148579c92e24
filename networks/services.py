"""What can be done with networks."""

from accounts.models import User
from accounts.rights import Action, Ref, require
from hosts.models import Host
from tasks import services as tasks
from tasks.models import Task

DEFAULT_NETWORK = "default"


def ensure_default_network(*, host: Host, actor: User) -> Task:
    """Ask for a running NAT network `default`; asked before the host is known to be up."""
    target = Ref("network", host.pk, None, DEFAULT_NETWORK)
    require(actor, Action.MANAGE, target)
    return tasks.ask_for(
        "networks.make_default_network",
        actor=actor,
        target=target,
        host_name=host.name,
        lock_key=f"network:{host.pk}:{DEFAULT_NETWORK}",
    )
