"""Who uses an image: guests, and images laid over it."""

import posixpath
from collections.abc import Iterable, Iterator
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import NotFound, if_supported
from virt.saving import saved_definition
from virt.storage import volumes_in
from virt.translate import translated_errors
from virt.xml.base import parse_node
from virt.xml.domain import BackingStore, Disk, DiskDevice, Domain, Source


@translated_errors()
def users_of(conn: Connection, path: str, *, kept: bool = True) -> list[tuple[UUID, str]]:
    """Return UUID and name of every domain that uses the file or device at `path`.

    Looks at live and next definitions, those of saved memory and the disks of snapshots; at disks and file systems
    given by pool and volume too, mirrors, backing chains (also those that only the volumes of active pools tell),
    kernel, initrd, loader and NVRAM. Without `kept`, not at saved memory and snapshots.
    (virDomainGetXMLDesc, virDomainManagedSaveGetXMLDesc and virDomainListAllSnapshots for each domain,
    virStorageVolGetXMLDesc for each volume)
    """
    volumes = _Volumes(conn)
    wanted = posixpath.normpath(path)
    found = []
    for domain in conn.handle.listAllDomains(0):
        try:
            used = _paths(domain, volumes, kept=kept)
        except NotFound:
            continue
        if wanted in volumes.with_backing(used):
            found.append((UUID(domain.UUIDString()), domain.name()))
    return found


@translated_errors()
def laid_over(conn: Connection, path: str) -> list[str]:
    """Return the names of the volumes, in all active pools, whose image has the one at `path` as its base.

    (virStorageVolGetXMLDesc for each volume)
    """
    return _Volumes(conn).above(posixpath.normpath(path))


@translated_errors()
def content_bytes(conn: Connection, path: str) -> int:
    """Return the bytes that the image at `path` takes, together with all that it is laid over.

    (virStorageVolGetXMLDesc for each volume of the active pools)
    """
    volumes, own = _Volumes(conn), posixpath.normpath(path)
    return sum(volumes.takes.get(one, 0) for one in (own, *volumes.below(own)))


@translated_errors()
def running_disk(conn: Connection, uuid: UUID, path: str) -> str:
    """Return the target (`vda`) of the disk that a running domain writes to the image at `path`.

    "" where the domain does not run, only reads it, or only has it below another image (virDomainGetXMLDesc).
    """
    handle = conn.domain(uuid)
    if not handle.isActive():
        return ""
    volumes, wanted = _Volumes(conn), posixpath.normpath(path)
    for disk in Domain.parse(handle.XMLDesc(0)).disks:
        source = disk.source
        if source is None or disk.readonly or disk.device not in (None, "disk"):
            continue
        own = source.path or volumes.by_name.get((source.pool or "", source.volume or "")) or ""
        if own and posixpath.normpath(own) == wanted:
            return disk.target or ""
    return ""


@translated_errors()
def mounted(conn: Connection, uuid: UUID, path: str) -> bool:
    """Whether a running domain has the image or folder at `path` as a file system to write to (virDomainGetXMLDesc)."""
    handle = conn.domain(uuid)
    if not handle.isActive():
        return False
    volumes, wanted = _Volumes(conn), posixpath.normpath(path)
    sources = [one.source for one in Domain.parse(handle.XMLDesc(0)).filesystems if one.source and not one.readonly]
    paths = (one.path or volumes.by_name.get((one.pool or "", one.volume or "")) for one in sources)
    return wanted in (posixpath.normpath(one) for one in paths if one)


class _Volumes:
    """The volumes of all active pools, read once."""

    def __init__(self, conn: Connection) -> None:
        self.by_name: dict[tuple[str, str], str] = {}
        self._below: dict[str, str] = {}
        self._name: dict[str, str] = {}
        self.takes: dict[str, int] = {}
        for pool in conn.handle.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
            try:
                self._read(pool)
            except NotFound:
                continue

    @translated_errors()
    def _read(self, pool: libvirt.virStoragePool) -> None:
        for volume in volumes_in(pool):
            path = posixpath.normpath(volume.path)
            self.by_name[pool.name(), volume.name] = path
            self._name[path] = volume.name
            self.takes[path] = volume.allocation_bytes
            if volume.backing_path:
                # The image itself says where its base is, perhaps from its own folder.
                base = posixpath.join(posixpath.dirname(path), volume.backing_path)
                self._below[path] = posixpath.normpath(base)

    def above(self, path: str) -> list[str]:
        """Return the names of the volumes whose image is laid over the one at `path`."""
        return [self._name[one] for one, base in self._below.items() if base == path]

    def below(self, path: str) -> Iterator[str]:
        """The paths of the images that the one at `path` is laid over, nearest first."""
        reached = {path}
        while (base := self._below.get(path)) is not None and base not in reached:
            reached.add(base)
            yield (path := base)

    def with_backing(self, paths: set[str]) -> set[str]:
        """Return the paths and all that their images are laid over."""
        reached = set(paths)
        pending = list(paths)
        while pending:
            base = self._below.get(pending.pop())
            if base is not None and base not in reached:
                reached.add(base)
                pending.append(base)
        return reached


@translated_errors()
def _paths(handle: libvirt.virDomain, volumes: _Volumes, *, kept: bool) -> set[str]:
    found: set[str | None] = set()

    def note(sources: Iterable[Source]) -> None:
        found.update(one.path or volumes.by_name.get((one.pool or "", one.volume or "")) for one in sources)

    texts = [handle.XMLDesc(flag) for flag in (0, libvirt.VIR_DOMAIN_XML_INACTIVE)]
    if kept and (saved := saved_definition(handle)):
        texts.append(saved)
    for domain in map(Domain.parse, texts):
        note(source for disk in domain.disks for source in _sources(disk))
        note(one.source for one in domain.filesystems if one.source is not None)
        found.update((domain.kernel, domain.initrd, domain.loader, domain.nvram))
    for domain in _snapshots(handle) if kept else ():
        # Without what was in a CD drive then: the disks alone hold what a snapshot is for.
        disks = (disk for disk in domain.disks if disk.device in (None, DiskDevice.DISK))
        note(source for disk in disks for source in _sources(disk))
    return {posixpath.normpath(path) for path in found if path}


def _snapshots(handle: libvirt.virDomain) -> list[Domain]:
    """What a domain was at each of its snapshots: of an overlay's base a definition alone tells nothing."""

    @translated_errors()
    def read() -> list[libvirt.virDomainSnapshot]:
        found: list[libvirt.virDomainSnapshot] = handle.listAllSnapshots(0)
        return found

    domains = []
    for snapshot in if_supported(read) or []:
        try:
            with translated_errors():
                node = parse_node(snapshot.getXMLDesc(0)).find("domain")
        except NotFound:
            continue  # that one alone is gone
        if node is not None:
            domains.append(Domain(node))
    return domains


def _sources(disk: Disk) -> Iterator[Source]:
    yield from (source for source in (disk.source, disk.mirror) if source is not None)
    backing: BackingStore | None = disk.backing
    while backing is not None:
        if backing.source is not None:
            yield backing.source
        backing = backing.below
