"""Storage: pools, and the volumes in them."""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from uuid import UUID

from instances.models import Instance
from monitor.link import Link
from monitor.rows import Changes
from storage.models import Pool, Volume
from tasks.models import Task
from virt import storage
from virt.connection import Connection
from virt.errors import InvalidState, NotFound
from virt.storage import PoolFacts, VolumeFacts

# Whose jobs write into pools.
WRITERS = ("storage.", "instances.create")


def listed(link: Link, host_id: int) -> list[UUID]:
    """The uuids of all pools there are; the rows of others are removed."""
    uuids = [pool.uuid for pool in link.call(storage.list_pools)]
    changes = Changes(host_id)
    _remove(Pool.objects.filter(host_id=host_id).exclude(uuid__in=uuids), changes)
    changes.commit()
    return uuids


@dataclass(frozen=True)
class PoolRead:
    """A pool and what is in it, as of libvirt's last refresh."""

    facts: PoolFacts
    volumes: list[VolumeFacts]


def read(conn: Connection, uuid: UUID) -> PoolRead:
    """Read a pool; NotFound where it is gone. It waits while libvirt refreshes it."""
    facts = storage.describe_pool(conn, uuid)
    try:
        volumes = storage.list_volumes(conn, uuid) if facts.active else []
    except InvalidState:
        # Stopped since.
        volumes = []
    return PoolRead(facts, volumes)


def take_in(host_id: int, uuid: UUID, answer: Future[PoolRead]) -> list[UUID]:
    """Make a pool's row and those of its volumes say what was read.

    Returns the guests that name their disks by this pool, when it has volumes that it had not before.
    """
    changes = Changes(host_id)
    row = Pool.objects.filter(host_id=host_id, uuid=uuid).first()
    try:
        found = answer.result()
    except NotFound:
        _remove([row] if row else [], changes)
        changes.commit()
        return []
    values = _values(found.facts)
    if row is None:
        row = Pool(host_id=host_id, uuid=uuid, **values)
        changes.add(row)
    else:
        changes.change(row, values)
    added = _sync_volumes(row, found.volumes, changes)
    changes.commit()
    if not added:
        return []
    named = Instance.objects.filter(host_id=host_id, xml__contains=f"pool='{found.facts.name}'")
    return list(named.values_list("uuid", flat=True))


def _values(facts: PoolFacts) -> dict[str, object]:
    return {
        "name": facts.name,
        "type": facts.type,
        "state": Pool.State.ACTIVE.value if facts.active else Pool.State.INACTIVE.value,
        "autostart": facts.autostart,
        "persistent": facts.persistent,
        "path": facts.path,
        "capacity_bytes": facts.capacity_bytes,
        "allocation_bytes": facts.allocation_bytes,
        "available_bytes": facts.available_bytes,
        "xml": facts.xml,
    }


def _sync_volumes(pool: Pool, found: list[VolumeFacts], changes: Changes) -> bool:
    """Gather the changes of a pool's volumes; whether there are new ones."""
    known = {volume.name: volume for volume in pool.volumes.all()} if pool.pk else {}
    added = False
    for facts in found:
        volume = known.pop(facts.name, None)
        values = {
            "path": facts.path,
            "format": facts.format,
            "capacity_bytes": facts.capacity_bytes,
            "allocation_bytes": facts.allocation_bytes,
            "backing_path": facts.backing_path,
        }
        if volume is None:
            changes.add(Volume(pool=pool, name=facts.name, **values))
            added = True
        else:
            changes.change(volume, values)
    changes.remove(known.values())
    return added


def _remove(pools: Iterable[Pool], changes: Changes) -> None:
    for pool in pools:
        for pk in pool.volumes.values_list("pk", flat=True):
            changes.tell(Volume, pk, "removed")
        changes.remove([pool])


def may_refresh(host_id: int) -> bool:
    """Whether no job of ours may be writing into a pool: a refresh forgets volumes that are being made."""
    running = Task.objects.filter(host_id=host_id, state=Task.State.RUNNING).values_list("kind", flat=True)
    return not any(kind.startswith(WRITERS) for kind in running)


def refresh(conn: Connection, uuid: UUID) -> None:
    """Make libvirt look at a pool's storage again; its event has the pool read."""
    try:
        storage.refresh_pool(conn, uuid)
    except (NotFound, InvalidState):
        # Gone, or stopped, since it was listed: its own event tells.
        return
