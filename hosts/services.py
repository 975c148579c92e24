"""What can be done with hosts, and the one way in which a change of a host is asked for."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, Ref, allowed, require
from hosts.addresses import fault_of_name, fault_of_uri
from hosts.models import Host, HostStatus
from live.channel import publish
from tasks import services as tasks
from tasks.errors import HostAway, Invalid, faults
from tasks.models import Task
from tasks.registry import QUICK, QUICK_LIMIT


def add_host(*, name: str, uri: str, actor: User) -> Host:
    """Add a host; the monitor connects to it by itself. Raises Invalid, by field: name, uri."""
    require(actor, Action.ADMINISTER, None)
    name, uri = name.strip(), uri.strip()
    if errors := faults(name=fault_of_name(name), uri=fault_of_uri(uri)):
        raise Invalid(_("Correct its name or its address."), errors=errors)
    try:
        with transaction.atomic():
            host = Host.objects.create(name=name, uri=uri)
            HostStatus.objects.create(host=host)
    except IntegrityError:
        raise Invalid(_("Choose another name."), errors={"name": [_("A host with this name exists already.")]})
    publish("host", host.pk, "added")
    return host


def managed(user: Any) -> list[Host]:
    """The hosts on which `user` may make things, with their status."""
    return allowed(user, Host.objects.visible_to(user).select_related("status"), Action.MANAGE)


def manages_any(user: Any) -> bool:
    """Whether there is a host on which `user` may make things."""
    # Without their status, which holds documents of many kilobytes.
    return bool(allowed(user, Host.objects.visible_to(user), Action.MANAGE))


def require_up(host: Host) -> None:
    """Raise HostAway, saying since when and why, unless the host is up."""
    status = host.status
    if status.is_up:
        return
    words = {"host": host.name, "why": status.why}
    raise HostAway(_("%(host)s cannot be asked for changes now: it is not connected. %(why)s") % words)


def change(
    kind: str,
    *,
    host: Host,
    target: Ref,
    actor: User,
    action: Action,
    key: str | None = None,
    arguments: dict[str, Any] | None = None,
    request: Any = None,
    lock_key: str = "",
    queue: str = QUICK,
    limit: int = QUICK_LIMIT,
    check: Callable[[], None] | None = None,
) -> Task:
    """Ask for a change of something on `host`: the one door that every service goes through.

    Checks the right, answers a repeated `key` with its first task, refuses when the host is not
    up, and writes the row. `request` is what the person asked for, where `arguments` hold more than that.
    `check` raises Refused where the change cannot be asked for; it is not called for a repetition,
    since what a request made is in the way of the same request.
    """
    require(actor, action, target)
    asked = [kind, target.type, target.host_id, target.name, request if request is not None else arguments or {}]
    if target.uuid is not None and request is None:
        asked.append(str(target.uuid))
    repeated = tasks.repeat_of(actor=actor, key=key, request=asked)
    if repeated:
        return repeated
    require_up(host)
    if check is not None:
        check()
    return tasks.ask_for(
        kind,
        actor=actor,
        target=target,
        host_name=host.name,
        arguments=arguments,
        request=asked,
        key=key,
        lock_key=lock_key,
        queue=queue,
        limit=limit,
    )
