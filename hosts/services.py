"""What can be done with hosts, and the one way in which a change of a host is asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, Ref, require, whole
from hosts import checks
from hosts.addresses import fault_of_name, fault_of_uri
from hosts.drivers import require_offered
from hosts.keys import HostKey
from hosts.models import Host, HostStatus
from hosts.pem import faults_of, tidy
from hosts.secrets import Secrets, seal, unseal_or_none
from live.channel import publish
from tasks import services as tasks
from tasks.asking import ask
from tasks.errors import HostAway, Invalid, Refused, faults
from tasks.models import Task
from tasks.registry import QUICK, QUICK_LIMIT
from virt.transport import Transport, endpoint

NONE = Secrets()
ASK_SECONDS = 12.0
# What opens a host that is reached so.
USED: dict[Transport, frozenset[str]] = {
    "memory": frozenset(),
    "unix": frozenset(),
    "ssh": frozenset({"private_key"}),
    "tcp": frozenset({"password"}),
    "tls": frozenset({"password", "ca_certificate", "client_certificate", "client_key"}),
}


def add_host(*, name: str, uri: str, actor: User, secrets: Secrets = NONE) -> Host:
    """Add a host; the monitor connects to it by itself. Raises Invalid, by field: name, uri, and the secrets' names."""
    require(actor, Action.ADMINISTER, None)
    name, uri, secrets = name.strip(), uri.strip(), tidied(secrets)
    if errors := faults(name=fault_of_name(name), uri=fault_of_uri(uri)) | faults_of_secrets(uri, secrets):
        raise Invalid(_("Correct its name, its address or its keys."), errors=errors)
    with name_is_its_own():
        host = Host.objects.create(name=name, uri=uri, sealed=seal(secrets))
        HostStatus.objects.create(host=host)
    publish("host", host.pk, "added")
    return host


@contextmanager
def name_is_its_own() -> Iterator[None]:
    """Write a host's name, in a transaction. Raises Invalid where another host has it."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Invalid(
            _("Choose another name."), errors={"name": [_("A host with this name exists already.")]}
        ) from error


def change_address(
    host: Host, *, actor: User, uri: str | None = None, secrets: Mapping[str, str] | None = None
) -> None:
    """Change how the host is reached; it is connected to anew.

    `secrets` has those that change, "" for one to be forgotten. Those that the address does not use are forgotten too,
    and so is the ssh key that was confirmed where the address leads elsewhere: who is there is confirmed anew, as a
    new host is. Raises Invalid as `add_host` does.
    """
    require(actor, Action.ADMINISTER, None)
    uri, given = (host.uri if uri is None else uri).strip(), dict(secrets or {})
    if fault := fault_of_uri(uri):
        raise Invalid(_("Correct its address."), errors=faults(uri=fault))
    kept = unseal_or_none(host.sealed)
    unused = dict.fromkeys(asdict(NONE).keys() - USED[endpoint(uri).transport], "")
    wanted = tidied(replace(kept or NONE, **{**unused, **given}))
    if errors := faults_of_secrets(uri, wanted):
        raise Invalid(_("Correct its keys."), errors=errors)
    fields = ["uri", "sealed"]
    if place_of(uri) != place_of(host.uri):
        host.host_key, host.host_key_at, host.host_key_by = "", None, ""
        fields += ["host_key", "host_key_at", "host_key_by"]
    host.uri = uri
    # Where those that are kept cannot be read any more, new ones stand alone; without new ones they stay as they are.
    if wanted != (kept or NONE) or (kept is None and given):
        host.sealed = seal(wanted)
    host.save(update_fields=fields)
    publish("host", host.pk)


def place_of(uri: str) -> str:
    """The name or number of the machine that an address leads to; "" for this one, and where it cannot be read."""
    return "" if fault_of_uri(uri) else endpoint(uri).host


def tidied(secrets: Secrets) -> Secrets:
    """With the PEMs as programs read them."""
    pems = {name: tidy(text) for name, text in asdict(secrets).items() if name != "password"}
    return replace(secrets, **pems)


def faults_of_secrets(uri: str, secrets: Secrets) -> dict[str, list[Any]]:
    """What is wrong with them for this address, in words, by name; nothing where the address itself is wrong."""
    if fault_of_uri(uri):
        return {}
    unused = secrets.known - USED[endpoint(uri).transport]
    return faults(**{**faults_of(secrets), **dict.fromkeys(unused, _("An address of this kind does not use it."))})


def require_ssh(host: Host) -> None:
    """Raise Refused for a host that has no key to confirm."""
    if endpoint(host.uri).transport != "ssh":
        raise Refused(_("This host is not reached by ssh: it has no key to confirm."))


def offered_keys(host: Host, *, actor: User) -> list[HostKey]:
    """The ssh keys that the host offers now, the best first; a person compares them. Raises HostAway, Refused."""
    require(actor, Action.ADMINISTER, None)
    require_ssh(host)
    # What it showed before it was lost or found says nothing of what it shows now: such an answer is not shared.
    now = {"uri": host.uri, "since": host.status.since.isoformat()}
    return [HostKey.parse(line) for line in ask(host.pk, "hosts.offered_keys", now, timeout=ASK_SECONDS)]


def trust_key(host: Host, *, key: HostKey, actor: User) -> None:
    """Pin the key that `actor` says is the host's own; one that was pinned before is replaced. Raises Refused."""
    require(actor, Action.ADMINISTER, None)
    require_ssh(host)
    host.host_key, host.host_key_at, host.host_key_by = str(key), timezone.now(), actor.username
    host.save(update_fields=["host_key", "host_key_at", "host_key_by"])
    publish("host", host.pk)


def trust_fingerprint(host: Host, *, fingerprint: str, actor: User) -> HostKey:
    """Pin the key that the host offers now, if it has this very fingerprint. Raises HostAway, Refused."""
    for key in offered_keys(host, actor=actor):
        if key.fingerprint == fingerprint.strip():
            trust_key(host, key=key, actor=actor)
            return key
    raise Refused(_("The host does not show a key with this fingerprint now."))


def check_host(*, host: Host, actor: User, key: str | None = None) -> Task:
    """Look at the host, whatever its state, and say line by line what works. One that is under way is answered."""
    require(actor, Action.ADMINISTER, None)
    request = [checks.KIND, host.pk]
    repeated = tasks.repeat_of(actor=actor, key=key, request=request)
    running = Task.objects.unfinished().filter(kind=checks.KIND, host_id=host.pk, arguments__uri=host.uri).first()
    return (
        repeated
        or running
        or tasks.ask_for(
            checks.KIND,
            actor=actor,
            target=host.ref,
            host_name=host.name,
            arguments={"uri": host.uri},
            request=request,
            key=key,
            lock_key=f"{checks.KIND}:{host.pk}",
        )
    )


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
    raise HostAway(_("%(host)s cannot be asked for anything now: it is not connected. %(why)s") % words)


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
    up or its driver has nothing for it, and writes the row. `request` is what the person asked for, where
    `arguments` hold more than that. `check` raises Refused where the change cannot be asked for; it is not called
    for a repetition, since what a request made is in the way of the same request.
    """
    require(actor, action, target)
    asked = [kind, target.type, target.host_id, target.name, request if request is not None else arguments or {}]
    if target.uuid is not None and request is None:
        asked.append(str(target.uuid))
    repeated = tasks.repeat_of(actor=actor, key=key, request=asked)
    if repeated:
        return repeated
    require_up(host)
    require_offered(host, kind)
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
