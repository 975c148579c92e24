"""What can be done with networks: each asks for one change of a host, and answers its task."""

import uuid
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.rights import Action, Ref, require
from hosts.models import Host
from hosts.services import change
from networks.models import Attachment, Network
from networks.spec import Spec, check
from tasks import services as tasks
from tasks.errors import Refused
from tasks.models import Task

CREATE = "networks.create"
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


def create_network(*, spec: Spec, actor: User, key: str | None = None) -> Task:
    """Make a network, and start it where asked.

    The task names it by a UUID chosen here, before libvirt knows it. Raises Invalid with errors by field, HostAway,
    or PermissionDenied without MANAGE on the host.
    """
    host = spec.host
    return change(
        CREATE,
        host=host,
        target=Ref("network", host.pk, uuid.uuid4(), spec.name),
        actor=actor,
        action=Action.MANAGE,
        key=key,
        arguments=spec.as_arguments(),
        request=spec.as_request(),
        # Of two that want the same range, the second must see the first.
        lock_key=f"networks:{host.pk}",
        check=lambda: check(spec),
    )


def start_network(*, network: Network, actor: User, key: str | None = None) -> Task:
    """Start a network that is off."""

    def check() -> None:
        if network.active:
            raise Refused(_("%(name)s is active already.") % {"name": network.name})

    return change_network("start", network, actor=actor, key=key, check=check)


def stop_network(*, network: Network, actor: User, key: str | None = None) -> Task:
    """Stop a network: running guests with a card on it lose it, and a transient one is gone."""

    def check() -> None:
        if not network.active:
            raise Refused(_("%(name)s is not active.") % {"name": network.name})

    return change_network("stop", network, actor=actor, key=key, check=check)


def set_autostart(*, network: Network, autostart: bool, actor: User, key: str | None = None) -> Task:
    """Say whether a network starts with its host. Refused for a transient one."""

    def check() -> None:
        if not network.persistent:
            raise Refused(_("%(name)s is transient: its host forgets it when it is stopped.") % {"name": network.name})

    return change_network("autostart", network, actor=actor, key=key, arguments={"autostart": autostart}, check=check)


def remove_network(*, network: Network, actor: User, key: str | None = None) -> Task:
    """Stop a network and forget it. Refused while a guest, running or not, has a card on it."""

    def check() -> None:
        cards = Attachment.objects.filter(host=network.host_id, network_name=network.name)
        count = cards.values("instance_uuid").distinct().count()
        if count:
            raise Refused(
                ngettext(
                    "%(count)d guest has a card on %(name)s. Give it another network first.",
                    "%(count)d guests have a card on %(name)s. Give them another network first.",
                    count,
                )
                % {"count": count, "name": network.name},
                title=_("The network is in use"),
            )

    return change_network("remove", network, actor=actor, key=key, check=check)


def change_network(verb: str, network: Network, **more: Any) -> Task:
    return change(
        f"networks.{verb}",
        host=network.host,
        target=network.ref,
        action=Action.MANAGE,
        lock_key=network.lock_key,
        **more,
    )
