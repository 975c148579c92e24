"""What can be done with hosts, and the one way in which a change of a host is asked for."""

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, Ref, require, whole
from hosts.addresses import fault_of_name, fault_of_uri
from hosts.keys import HostKey, public_key_of
from hosts.models import Host, HostStatus
from hosts.secrets import Secrets, seal
from live.channel import publish
from tasks import services as tasks
from tasks.asking import ask
from tasks.errors import HostAway, Invalid, faults
from tasks.models import Task
from tasks.registry import QUICK, QUICK_LIMIT

NONE = Secrets()
ASK_SECONDS = 12.0


def add_host(*, name: str, uri: str, actor: User, secrets: Secrets = NONE) -> Host:
    """Add a host; the monitor connects to it by itself. Raises Invalid, by field: name, uri, and the secrets' names."""
    require(actor, Action.ADMINISTER, None)
    name, uri = name.strip(), uri.strip()
    if errors := faults(name=fault_of_name(name), uri=fault_of_uri(uri), private_key=fault_of_key(secrets)):
        raise Invalid(_("Correct its name, its address or its key."), errors=errors)
    try:
        with transaction.atomic():
            host = Host.objects.create(name=name, uri=uri, sealed=seal(secrets))
            HostStatus.objects.create(host=host)
    except IntegrityError:
        raise Invalid(_("Choose another name."), errors={"name": [_("A host with this name exists already.")]})
    publish("host", host.pk, "added")
    return host


def fault_of_key(secrets: Secrets) -> str:
    """What is wrong with a private ssh key, in words; "" where nothing is, or none is given."""
    try:
        if secrets.private_key:
            public_key_of(secrets.private_key)
    except (ValueError, UnsupportedAlgorithm, TypeError):
        return _("This is no private key that Webvirt can use: OpenSSH's own form, without a passphrase.")
    return ""


def offered_keys(host: Host, *, actor: User) -> list[HostKey]:
    """The ssh keys that the host offers now, the best first; a person compares them. Raises HostAway, Refused."""
    require(actor, Action.ADMINISTER, None)
    return [HostKey.parse(line) for line in ask(host.pk, "hosts.offered_keys", {"uri": host.uri}, timeout=ASK_SECONDS)]


def trust_key(host: Host, *, key: HostKey, actor: User) -> None:
    """Pin the key that `actor` says is the host's own; one that was pinned before is replaced."""
    require(actor, Action.ADMINISTER, None)
    host.host_key, host.host_key_at, host.host_key_by = str(key), timezone.now(), actor.username
    host.save(update_fields=["host_key", "host_key_at", "host_key_by"])
    publish("host", host.pk)


def managed(user: Any) -> list[Host]:
    """The hosts on which `user` may make things, with their status."""
    return list(whole(Host.objects.select_related("status"), user, Action.MANAGE))


def manages_any(user: Any) -> bool:
    """Whether there is a host on which `user` may make things."""
    return whole(Host.objects.all(), user, Action.MANAGE).exists()


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
