"""What a worker does with volumes on their hosts, beside uploads."""

import errno
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_noop

from hosts.connections import connect, read_again, settled
from storage import downloads, on_host
from storage.formats import SPARSE_POOLS
from storage.pace import Pace
from tasks.context import Context
from tasks.errors import Cancelled
from tasks.registry import LONG, job
from virt import storage as pools
from virt import streams, usage
from virt import volumes as work
from virt.connection import Connection
from virt.errors import AlreadyExists, InvalidState, NoRoom, NotFound
from virt.storage import VolumeFacts
from virt.xml.storage import Volume
from webvirt.units import size, size_of

LOOK_SECONDS = 1.0
SECTOR = 512  # what is copied is filled up to whole ones
FULL = (errno.ENOSPC, errno.EDQUOT)


def place_of(context: Context) -> tuple[UUID, str]:
    """The pool's uuid and the volume's name that the task is about."""
    return context.uuid, context.ref.name


def undo_volume(context: Context) -> None:
    """Remove the volume that the journal names, if it is that one by its size and nobody uses it."""
    for entry in context.task.made:
        pool, name = UUID(entry["pool"]), entry["volume"]
        with connect(context.host_id) as conn:
            try:
                found = pools.describe_volume(conn, pool, name)
            except NotFound:
                continue
            if found.capacity_bytes == int(entry["capacity"]) and not usage.users_of(conn, found.path):
                pools.delete_volume(conn, pool, name)
        read_again(context)


def definition(conn: Connection, pool: UUID, name: str, format: str, capacity: int) -> Volume:
    """A volume that takes room as it fills, where its pool can give it so."""
    sparse = pools.describe_pool(conn, pool).type in SPARSE_POOLS
    return Volume(name=name, format=format, capacity_bytes=capacity, allocation_bytes=0 if sparse else capacity)


@job("storage.create_volume", undo=undo_volume)
def create_volume(context: Context) -> dict[str, str]:
    """Make an empty volume (virStorageVolCreateXML)."""
    pool, name = place_of(context)
    capacity = int(context.arguments["size_bytes"])
    with connect(context.host_id) as conn:
        on_host.require_place(conn, pool, name, capacity)
        entry = {"pool": str(pool), "volume": name, "capacity": str(capacity)}
        context.make(**entry)
        try:
            pools.create_volume(conn, pool, definition(conn, pool, name, context.arguments["format"], capacity))
        except AlreadyExists:
            context.unmake(**entry)
            raise
    result = {"volume": name}
    settled(context, result=result)
    return result


@job("storage.grow_volume", queue=LONG)
def grow_volume(context: Context) -> None:
    """Make a volume larger, where it is, also under a running guest (virStorageVolResize, virDomainBlockResize)."""
    pool, name = place_of(context)
    wanted = int(context.arguments["size_bytes"])
    with connect(context.host_id) as conn:
        found = pools.describe_volume(conn, pool, name)
        if wanted <= found.capacity_bytes:
            raise InvalidState(
                gettext_noop("%(name)s has %(size)s already; a volume can only grow."),
                hint=gettext_noop("Choose a larger size."),
                params={"name": name, "size": size(found.capacity_bytes, exact=True)},
            )
        on_host.require_not_base(conn, found.path)
        on_host.require_room(conn, pool, name, wanted - found.capacity_bytes)
        grow(conn, pool, found, wanted)
        context.say(f"{size(found.capacity_bytes, exact=True)} → {size(wanted, exact=True)}")
    settled(context)


def grow(conn: Connection, pool: UUID, found: VolumeFacts, wanted: int) -> None:
    running = on_host.running_users(conn, found.path)
    if not running:
        work.grow(conn, pool, found.name, wanted)
        return
    targets = [(uuid, target) for uuid in running if (target := usage.running_disk(conn, uuid, found.path))]
    if len(running) > 1 or not targets:
        raise InvalidState(
            gettext_noop("A running guest uses this volume in a way in which it cannot grow."),
            hint=gettext_noop("Shut the guest down first."),
        )
    work.grow_running(conn, *targets[0], wanted)


@job("storage.clone_volume", queue=LONG, undo=undo_volume)
def clone_volume(context: Context) -> dict[str, str]:
    """Make a volume with another one's content (virStorageVolCreateXMLFrom)."""
    pool, name = place_of(context)
    source_pool, source = UUID(context.arguments["source_pool"]), context.arguments["source"]
    with connect(context.host_id) as conn:
        original = pools.describe_volume(conn, source_pool, source)
        on_host.require_still(conn, original.path)
        content = usage.content_bytes(conn, original.path)
        on_host.require_place(conn, pool, name, content)
        format = "raw" if original.format == "iso" else original.format
        capacity = -(-original.capacity_bytes // SECTOR) * SECTOR
        copy = definition(conn, pool, name, format, capacity)
        context.make(pool=str(pool), volume=name, capacity=str(capacity))
        with connect(context.host_id) as second, ThreadPoolExecutor(1) as copier:
            copying = copier.submit(work.clone, second, pool, copy, source_pool, source)
            while True:
                try:
                    copying.result(timeout=LOOK_SECONDS)
                    break
                except NotYet:
                    tell(conn, context, pool, name, content)
        on_host.require_untouched(conn, source_pool, original)
        # libvirt knows no way to stop a copy; one whose end was asked for is removed when it is whole.
        context.check()
        result = {"volume": name}
        context.done(result)
        on_host.refresh(conn, context, pool)
    read_again(context)
    return result


def tell(conn: Connection, context: Context, pool: UUID, name: str, content: int) -> None:
    """Report how far a copy has come, by the room that it takes."""
    try:
        came = min(pools.describe_volume(conn, pool, name).allocation_bytes, content)
    except NotFound:
        return
    context.progress(min(came * 100 // max(content, 1), 99), size_of(came, content))


@job("storage.delete_volume", queue=LONG)
def delete_volume(context: Context) -> None:
    """Delete a volume that no guest uses and that nothing is built on (virStorageVolDelete)."""
    pool, name = place_of(context)
    with connect(context.host_id) as conn:
        # Who laid an image over this one by hand may have told nobody.
        on_host.refresh(conn, context, pool)
        on_host.require_unused(conn, pools.describe_volume(conn, pool, name).path)
        pools.delete_volume(conn, pool, name)
    settled(context)


def undo_download(context: Context) -> None:
    downloads.path_of(context.task.pk).unlink(missing_ok=True)


@job("storage.download", queue=LONG, undo=undo_download)
def download(context: Context) -> dict[str, str | int]:
    """Bring a volume's content to where it can be fetched from; holes stay holes (virStorageVolDownload)."""
    pool, name = place_of(context)
    path = downloads.path_of(context.task.pk)
    with connect(context.host_id, shared=False) as conn:
        found = pools.describe_volume(conn, pool, name)
        on_host.require_still(conn, found.path)
        if (free := downloads.free_bytes()) < found.allocation_bytes:
            raise no_room(name, free)
        context.make(download=path.name)
        pace = Pace(found.physical_bytes)

        def progress(came: int) -> None:
            if context.due():
                context.progress(*pace.at(came))

        try:
            with downloads.create(context.task.pk) as target:
                came = streams.download(conn, pool, name, target, progress=progress, cancelled=context.cancelled)
        except streams.StreamCancelled:
            raise Cancelled
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise no_room(name, downloads.free_bytes()) from error
        on_host.require_untouched(conn, pool, found)
    result: dict[str, str | int] = {"url": reverse("api:download", args=[context.task.pk]), "bytes": came}
    context.done(result)
    return result


def no_room(name: str, free: int) -> NoRoom:
    return NoRoom(
        gettext_noop("%(name)s does not fit on the disk that Webvirt keeps downloads on: %(free)s are free there."),
        hint=gettext_noop("Free some room on Webvirt's own machine."),
        params={"name": name, "free": size(free)},
    )
