"""Guests: the quick listing of all, and the definitions of a few."""

import logging
from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from instances.models import Instance
from monitor import definitions, figures
from monitor.link import Link
from monitor.rows import Changes
from virt import domains, saving
from virt.domains import DomainFacts, DomainState
from virt.errors import NotFound, VirtError
from virt.states import State

log = logging.getLogger(__name__)

# The quick listing need not load what only a definition fills.
HEAVY = ("xml", "inactive_xml", "disks", "interfaces", "graphics")
# In these a guest has no addresses.
OFF = (State.SHUTOFF, State.CRASHED)


def sync_list(link: Link, host_id: int) -> None:
    """Make state, flags and existence of all guests true, in a constant number of calls."""
    found = link.call(domains.list_all)
    rows = _rows(host_id)
    changes = Changes(host_id)
    for state in found:
        row = rows.pop(state.uuid, None)
        values = _listed(state)
        if row is None:
            changes.add(Instance(host_id=host_id, uuid=state.uuid, **values))
            continue
        if row.state != state.state:
            values["state_since"] = timezone.now()
        changes.change(row, values)
    _remove(host_id, list(rows.values()), changes)


def differing(host_id: int, found: Iterable[DomainState]) -> list[UUID]:
    """The guests whose rows do not say what a listing says, rows without a guest included.

    The listing may be older than the rows by now, so these are to be read again, and nothing is written.
    """
    rows = _rows(host_id)
    uuids = []
    for state in found:
        row = rows.pop(state.uuid, None)
        if row is None or any(getattr(row, name) != value for name, value in _listed(state).items()):
            uuids.append(state.uuid)
    return [*uuids, *rows]


def _rows(host_id: int) -> dict[UUID, Instance]:
    return {row.uuid: row for row in Instance.objects.filter(host_id=host_id).defer(*HEAVY)}


def _listed(state: DomainState) -> dict[str, object]:
    return {
        "name": state.name,
        "state": state.state.value,
        "reason": state.reason,
        "autostart": state.autostart,
        "persistent": state.persistent,
        "has_managed_save": state.managed_save,
        **no_addresses(state.state),
    }


def no_addresses(state: State) -> dict[str, list[object]]:
    return {"addresses": []} if state in OFF else {}


def sync_some(link: Link, host_id: int, uuids: Iterable[UUID]) -> None:
    """Read these guests whole, and make their rows, the use of volumes and the attachments true."""
    found: list[DomainFacts] = []
    saved: dict[UUID, str] = {}
    gone: list[UUID] = []
    for uuid in uuids:
        try:
            facts = link.call(domains.describe, uuid)
            if facts.has_managed_save:
                saved[uuid] = link.call(saving.definition, uuid)
            found.append(facts)
        except NotFound:
            gone.append(uuid)
        except VirtError as error:
            if not link.is_alive:
                raise
            log.warning("guest %s cannot be read: %s", uuid, error)
    wanted = [facts.uuid for facts in found] + gone
    rows = {row.uuid: row for row in Instance.objects.filter(host_id=host_id, uuid__in=wanted)}
    read = definitions.read(host_id, found, saved)
    changes = Changes(host_id)
    for facts in found:
        row = rows.get(facts.uuid)
        values = definitions.values(facts, read.disks[facts.uuid]) | no_addresses(facts.state)
        if row is None:
            changes.add(Instance(host_id=host_id, uuid=facts.uuid, state_since=timezone.now(), **values))
            continue
        if row.state != facts.state:
            values["state_since"] = timezone.now()
        changes.change(row, values)
    definitions.sync_uses(host_id, read, changes)
    definitions.sync_attachments(host_id, read, changes)
    _remove(host_id, [rows[uuid] for uuid in gone if uuid in rows], changes)


def _remove(host_id: int, rows: list[Instance], changes: Changes) -> None:
    """Commit `changes`, with the rows of guests that are gone and all that was known of them."""
    ids = [row.pk for row in rows]
    changes.remove(rows)
    definitions.forget(host_id, [row.uuid for row in rows], changes)
    changes.commit()
    figures.forget(ids)
