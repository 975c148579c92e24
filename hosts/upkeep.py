"""What an administrator changes about a host in Webvirt alone: its name, notes, maintenance, and its removal."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Grant, User
from accounts.rights import Action, require
from hosts.addresses import fault_of_name
from hosts.models import Host
from hosts.services import name_is_its_own
from live.channel import publish
from tasks.errors import Refused, Words, faults, refuse
from tasks.models import Task

LONGEST_NOTES = 10_000
# The rows that go with a host, by what the live channel calls them: the names by which a host leads to them.
INVENTORY = {"instance": "instances", "pool": "pools", "network": "networks"}


def edit_host(
    host: Host, *, actor: User, name: str | None = None, notes: str | None = None, maintenance: bool | None = None
) -> None:
    """Change what is given. Raises PermissionDenied, or Invalid by field: name, notes."""
    require(actor, Action.ADMINISTER, None)
    wanted = {"name": name.strip() if name is not None else None, "notes": notes, "maintenance": maintenance}
    values: dict[str, Any] = {field: value for field, value in wanted.items() if value is not None}
    refuse(
        faults(
            name=fault_of_name(values["name"]) if "name" in values else "",
            notes=fault_of_notes(values.get("notes", "")),
        )
    )
    for field, value in values.items():
        setattr(host, field, value)
    with name_is_its_own():
        host.save(update_fields=list(values))
    publish("host", host.pk)


def fault_of_notes(notes: str) -> Words:
    """What is wrong with notes, in words; "" where nothing is."""
    if len(notes) > LONGEST_NOTES:
        return _("Notes have at most %(most)d characters.") % {"most": LONGEST_NOTES}
    return _("Notes cannot contain a null character.") if "\x00" in notes else ""


def closed_because(host: Host) -> str:
    """Why the host takes no new guests, in words; "" where it does."""
    return _("%(host)s is in maintenance and takes no new guests.") % {"host": host.name} if host.maintenance else ""


def require_open(host: Host) -> None:
    """Raise Refused where the host takes no new guests."""
    if words := closed_because(host):
        raise Refused(words, title=_("The host is in maintenance"))


def busy_because(host: Host) -> str:
    """Why the host cannot be removed now, in words; "" where it can."""
    count = Task.objects.unfinished().filter(host_id=host.pk).count()
    words = ngettext(
        "%(count)d task on %(host)s has not ended. Wait for it, or cancel it.",
        "%(count)d tasks on %(host)s have not ended. Wait for them, or cancel them.",
        count,
    )
    return words % {"count": count, "host": host.name} if count else ""


def remove_host(host: Host, *, actor: User) -> None:
    """Forget the host, what was read of it and the grants on it; the host itself and the history of tasks stay.

    Raises PermissionDenied, or Refused while a task on it has not ended.
    """
    require(actor, Action.ADMINISTER, None)
    pk = host.pk
    with transaction.atomic():
        if words := busy_because(host):
            raise Refused(words, title=_("The host is busy"))
        gone = {type: list(getattr(host, rows).values_list("pk", flat=True)) for type, rows in INVENTORY.items()}
        Grant.objects.filter(host_id=pk).delete()
        host.delete()
        for type, ids in gone.items():
            for id in ids:
                publish(type, id, "removed")
        publish("host", pk, "removed")
