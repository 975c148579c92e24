"""What guests' definitions say: their rows' values, the paths they use, the networks they hang on."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from monitor.rows import Changes
from networks.models import Attachment, Network
from storage.models import Volume, VolumeUse
from virt.domains import DomainFacts
from virt.states import State
from virt.xml.domain import BackingStore, Disk, Domain, Source
from virt.xml.own import Own

Paths = dict[tuple[str, str], str]
# Where it is mounted is longer than a disk's name.
FILESYSTEM = "filesystem"
# In these a guest is plugged into nothing.
OFF = (State.SHUTOFF, State.CRASHED)


@dataclass
class Read:
    """What a few guests' definitions say, by guest; `uses` by path and `cards` by MAC address too.

    `cards` are the network, and whether a running guest is plugged into it now.
    """

    names: dict[UUID, str] = field(default_factory=dict)
    disks: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    uses: dict[tuple[UUID, str], tuple[str, bool]] = field(default_factory=dict)
    cards: dict[tuple[UUID, str], tuple[str, bool]] = field(default_factory=dict)


def read(host_id: int, found: Iterable[DomainFacts], saved: Mapping[UUID, str] | None = None) -> Read:
    """Read both definitions of each guest, the live one and the one for its next start.

    Of those in `saved` also the one with which their saved memory goes on, which may use other paths.
    """
    parsed = {facts.uuid: _parse(facts) for facts in found}
    going_on = {uuid: [Domain.parse(text)] for uuid, text in (saved or {}).items() if text}
    alive = {facts.uuid for facts in found if facts.state not in OFF}
    every = [domain for some in (*parsed.values(), *going_on.values()) for domain in some]
    paths = _paths(host_id, [source for domain in every for source in _all_sources(domain)])
    answer = Read(names={facts.uuid: facts.name for facts in found})
    for uuid, both in parsed.items():
        # The last is the persistent one, or the live one where it has no other.
        answer.disks[uuid] = [_disk(disk, paths) for disk in both[-1].disks]
        plugged = {(card.mac, card.network) for card in both[0].interfaces} if uuid in alive else set()
        for domain in (*both, *going_on.get(uuid, ())):
            for path, device, readonly in _uses(domain, paths):
                first, others = answer.uses.get((uuid, path), (device, True))
                answer.uses[uuid, path] = (first, readonly and others)
        for domain in both:
            for card in domain.interfaces:
                if card.network and card.mac:
                    answer.cards[uuid, card.mac] = (card.network, (card.mac, card.network) in plugged)
    return answer


def values(facts: DomainFacts, disks: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of a guest's row."""
    persistent = now = Domain.parse(facts.xml_inactive or facts.xml_live)
    if facts.xml_inactive not in ("", facts.xml_live):
        now = Domain.parse(facts.xml_live)
    return {
        "name": facts.name,
        "title": (now.title or "")[:500],
        "notes": now.description or "",
        "tags": Own.of(now).tag_names,
        "state": facts.state.value,
        "reason": facts.reason,
        "vcpus": facts.vcpus,
        "memory_bytes": facts.max_memory_bytes,
        "autostart": facts.autostart,
        "persistent": facts.persistent,
        "has_managed_save": facts.has_managed_save,
        "disks": disks,
        "interfaces": [
            {
                "network": card.network or "",
                "bridge": card.bridge or "",
                "mac": card.mac or "",
                "model": card.model or "",
            }
            for card in persistent.interfaces
        ],
        # A display has its port only while the guest runs.
        "graphics": [asdict(graphics) for graphics in facts.graphics],
        "agent": facts.agent,
        "xml": facts.xml_live,
        "inactive_xml": facts.xml_inactive,
    }


def _parse(facts: DomainFacts) -> list[Domain]:
    texts = [facts.xml_live]
    if facts.xml_inactive and facts.xml_inactive != facts.xml_live:
        texts.append(facts.xml_inactive)
    return [Domain.parse(text) for text in texts]


def _all_sources(domain: Domain) -> Iterator[Source]:
    for disk in domain.disks:
        yield from _sources(disk)
    yield from (one.source for one in domain.filesystems if one.source is not None)


def _paths(host_id: int, sources: Iterable[Source]) -> Paths:
    """Where volumes lie that are named by pool and volume, as far as their pools have been read."""
    pools = {source.pool for source in sources if source.pool}
    if not pools:
        return {}
    known = Volume.objects.filter(pool__host_id=host_id, pool__name__in=pools)
    return {(pool, name): path for pool, name, path in known.values_list("pool__name", "name", "path")}


def _path(source: Source | None, paths: Paths) -> str:
    if source is None:
        return ""
    path = source.path or paths.get((source.pool or "", source.volume or ""), "")
    return posixpath.normpath(path) if path else ""


def _disk(disk: Disk, paths: Paths) -> dict[str, Any]:
    return {
        "device": disk.device.value if disk.device else "disk",
        "target": disk.target or "",
        "bus": disk.bus.value if disk.bus else "",
        "format": disk.format or "",
        "path": _path(disk.source, paths),
        "readonly": disk.readonly,
        "shareable": disk.shareable,
    }


def _sources(disk: Disk) -> Iterator[Source]:
    """A disk's own image, the one it is being copied to, and those it is laid over."""
    yield from (source for source in (disk.source, disk.mirror) if source is not None)
    backing: BackingStore | None = disk.backing
    while backing is not None:
        if backing.source is not None:
            yield backing.source
        backing = backing.below


def _uses(domain: Domain, paths: Paths) -> Iterator[tuple[str, str, bool]]:
    for disk in domain.disks:
        own = [source.node for source in (disk.source, disk.mirror) if source is not None]
        for source in _sources(disk):
            if path := _path(source, paths):
                yield path, disk.target or "", disk.readonly or source.node not in own
    for filesystem in domain.filesystems:
        if path := _path(filesystem.source, paths):
            yield path, FILESYSTEM, filesystem.readonly


def sync_uses(host_id: int, read: Read, changes: Changes) -> None:
    """Make VolumeUse true for the guests that were read, and tell of the volumes that this changes."""
    known = {
        (use.instance_uuid, use.path): use
        for use in VolumeUse.objects.filter(host_id=host_id, instance_uuid__in=read.names)
    }
    touched = set()
    for (uuid, path), (device, readonly) in read.uses.items():
        use = known.pop((uuid, path), None)
        wanted = {"instance_name": read.names[uuid], "device": device, "readonly": readonly}
        if use is None:
            changes.add(VolumeUse(host_id=host_id, path=path, instance_uuid=uuid, **wanted))
        elif not changes.change(use, wanted):
            continue
        touched.add(path)
    _drop_uses(host_id, known.values(), touched, changes)


def _drop_uses(host_id: int, uses: Iterable[VolumeUse], touched: set[str], changes: Changes) -> None:
    uses = list(uses)
    changes.remove(uses)
    touched |= {use.path for use in uses}
    if touched:
        for pk in Volume.objects.filter(pool__host_id=host_id, path__in=touched).values_list("pk", flat=True):
            changes.tell(Volume, pk)


def sync_attachments(host_id: int, read: Read, changes: Changes) -> None:
    """Make Attachment true for the guests that were read, and tell of the networks that this changes."""
    known = {
        (card.instance_uuid, card.mac): card
        for card in Attachment.objects.filter(host_id=host_id, instance_uuid__in=read.names)
    }
    touched = set()
    for (uuid, mac), (network, running) in read.cards.items():
        card = known.pop((uuid, mac), None)
        wanted = {"instance_name": read.names[uuid], "network_name": network, "running": running}
        if card is None:
            changes.add(Attachment(host_id=host_id, mac=mac, instance_uuid=uuid, **wanted))
        else:
            before = card.network_name
            if not changes.change(card, wanted):
                continue
            touched.add(before)
        touched.add(network)
    _drop_cards(host_id, known.values(), touched, changes)


def _drop_cards(host_id: int, cards: Iterable[Attachment], touched: set[str], changes: Changes) -> None:
    cards = list(cards)
    changes.remove(cards)
    touched |= {card.network_name for card in cards}
    if touched:
        for pk in Network.objects.filter(host_id=host_id, name__in=touched).values_list("pk", flat=True):
            changes.tell(Network, pk)


def forget(host_id: int, uuids: list[UUID], changes: Changes) -> None:
    """Guests that are gone use no volume and hang on no network."""
    if uuids:
        gone = {"host_id": host_id, "instance_uuid__in": uuids}
        _drop_uses(host_id, VolumeUse.objects.filter(**gone), set(), changes)
        _drop_cards(host_id, Attachment.objects.filter(**gone), set(), changes)
