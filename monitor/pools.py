"""Storage: pools, and the volumes in them."""

from collections.abc import Iterable
from uuid import UUID

from instances.models import Instance
from monitor.link import Link
from monitor.rows import Changes
from storage.models import Pool, Volume
from tasks.models import Task
from virt import storage
from virt.errors import InvalidState, NotFound
from virt.storage import PoolFacts, VolumeFacts

LIST_SECONDS = 60.0
REFRESH_SECONDS = 300.0
# Whose jobs write into pools.
WRITERS = ("storage.", "instances.create")


def listed(link: Link, host_id: int) -> list[UUID]:
    """The uuids of all pools there are; the rows of others are removed."""
    uuids = [pool.uuid for pool in link.call(storage.list_pools)]
    changes = Changes()
    _remove(Pool.objects.filter(host_id=host_id).exclude(uuid__in=uuids), changes)
    changes.commit()
    return uuids


def sync_pool(link: Link, host_id: int, uuid: UUID) -> list[UUID]:
    """Make a pool's row and those of its volumes true, as of libvirt's last refresh.

    Returns the guests that name their disks by this pool, when it has volumes that it had not before.
    """
    changes = Changes()
    row = Pool.objects.filter(host_id=host_id, uuid=uuid).first()
    try:
        facts = link.call(storage.describe_pool, uuid)
        volumes = _volumes(link, facts)
    except NotFound:
        _remove([row] if row else [], changes)
        changes.commit()
        return []
    if row is None:
        row = Pool(host_id=host_id, uuid=uuid, **_values(facts))
        changes.add(row)
    else:
        changes.change(row, _values(facts))
    added = _sync_volumes(row, volumes, changes)
    changes.commit()
    if not added:
        return []
    named = Instance.objects.filter(host_id=host_id, xml__contains=f"pool='{facts.name}'")
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


def _volumes(link: Link, facts: PoolFacts) -> list[VolumeFacts]:
    """What is in a pool; libvirt does not tell while it is not active."""
    if not facts.active:
        return []
    try:
        return link.long_call(LIST_SECONDS, storage.list_volumes, facts.uuid)
    except InvalidState:
        return []


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


def refresh(link: Link, host_id: int, uuid: UUID) -> None:
    """Make libvirt look at a pool's storage again, unless a job of ours may be writing there.

    A refresh forgets volumes that are being made, and their job would fail. Its event has the pool read.
    """
    running = Task.objects.filter(host_id=host_id, state=Task.State.RUNNING).values_list("kind", flat=True)
    if any(kind.startswith(WRITERS) for kind in running):
        return
    try:
        link.long_call(REFRESH_SECONDS, storage.refresh_pool, uuid)
    except (NotFound, InvalidState):
        # Gone, or stopped, since it was listed: its own event tells.
        return
