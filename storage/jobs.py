"""What a worker does with pools on their hosts."""

from pathlib import Path
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Ref
from hosts.connections import connect, read_again, settled
from storage import on_host, spool, uploads, volume_work  # noqa: F401 - volume_work declares its own jobs
from storage.models import Upload
from storage.pace import Pace
from storage.services import DEFAULT_POOL
from tasks.context import Context
from tasks.errors import Cancelled, JobFailed
from tasks.registry import LONG, job
from virt import storage as pools
from virt import streams, usage
from virt.connection import Connection
from virt.errors import AlreadyExists, NotFound
from virt.xml.storage import Pool as PoolXml
from virt.xml.storage import Volume as VolumeXml

DEFAULT_PATH = "/var/lib/libvirt/images"


def undo_upload(context: Context) -> None:
    """Remove the volume that the journal names, and leave the upload as failed, or remove it when that was asked."""
    try:
        for entry in context.task.made:
            if "volume" in entry:
                with connect(context.host_id) as conn:
                    remove_own(conn, UUID(entry["pool"]), entry["volume"], int(entry["length"]))
                read_again(context)
    finally:
        end_upload(context)


def end_upload(context: Context) -> None:
    upload = Upload.objects.filter(pk=context.arguments["upload"]).first()
    if upload is None:
        return
    if context.cancelled() or context.task.cancel_asked:
        uploads.discard(upload)
    else:
        uploads.mark_failed(upload)


def remove_own(conn: Connection, pool: UUID, name: str, length: int) -> None:
    """Delete a volume that a journal names, unless it is another one by now, or some domain has it."""
    try:
        found = pools.describe_volume(conn, pool, name)
    except NotFound:
        return
    # Not its capacity: a qcow2 that has come in part may have been read already.
    if found.physical_bytes == length and not usage.users_of(conn, found.path):
        pools.delete_volume(conn, pool, name)


@job("storage.upload", queue=LONG, undo=undo_upload)
def upload(context: Context) -> dict[str, str]:
    """Make a raw volume of the file's size and stream the spool file into it.

    (virStorageVolCreateXML, virStorageVolUpload, virStoragePoolRefresh)
    """
    found = Upload.objects.filter(pk=context.arguments["upload"]).select_related("pool").first()
    if found is None:
        raise JobFailed(gettext_noop("The upload is gone"), gettext_noop("It was removed before its turn came."))
    context.make(upload=str(found.pk))
    with connect(context.host_id, shared=False) as conn:
        on_host.require_place(conn, found.pool.uuid, found.filename, found.length)
        make_volume(conn, context, found)
        digest = send(conn, context, found)
        if found.sha256 and digest != found.sha256:
            uploads.discard(found)
            raise JobFailed(
                gettext_noop("The file is not the one that was announced"),
                gettext_noop("Its SHA-256 is %(is)s, and %(announced)s was announced. Nothing of it was kept."),
                hint=gettext_noop("Compare the checksum with its publisher's, and upload the file again."),
                params={"is": digest, "announced": found.sha256},
            )
        result = {"volume": found.filename, "sha256": digest}
        uploads.mark_done(found)
        context.done(result)
        spool.remove(found.pk)
        context.say(f"SHA-256 {digest}")
        on_host.refresh(conn, context, found.pool.uuid)
    read_again(context)
    return result


def make_volume(conn: Connection, context: Context, found: Upload) -> None:
    """Make the volume, written down before it is there."""
    pool = found.pool.uuid
    entry = {"pool": str(pool), "volume": found.filename, "length": str(found.length)}
    context.make(**entry)
    volume = VolumeXml(name=found.filename, capacity_bytes=found.length, allocation_bytes=0, format="raw")
    try:
        pools.create_volume(conn, pool, volume)
    except AlreadyExists:
        context.unmake(**entry)
        raise on_host.taken(found.pool.name, found.filename)


def send(conn: Connection, context: Context, found: Upload) -> str:
    """Stream the file, saying how far it is; returns its SHA-256. Raises Cancelled when asked to end.

    Hashing takes a processor that libvirt and its stream have use for, so it is not done twice.
    """
    pace = Pace(found.length)

    def progress(sent: int) -> None:
        if context.due():
            context.progress(*pace.at(sent))

    with spool.path_of(found.pk).open("rb", buffering=0) as source:
        try:
            digest = streams.upload(
                conn,
                found.pool.uuid,
                found.filename,
                source,
                found.length,
                progress=progress,
                cancelled=context.cancelled,
                sha256=not found.digest,
            )
        except streams.StreamCancelled:
            raise Cancelled
    return digest or found.digest


@job("storage.refresh_pool", queue=LONG)
def refresh_pool(context: Context) -> None:
    """Have libvirt look at the pool's storage again (virStoragePoolRefresh)."""
    with connect(context.host_id) as conn:
        pools.refresh_pool(conn, context.uuid)
    settled(context)


@job("storage.make_default_pool")
def make_default_pool(context: Context) -> None:
    """Make, start and autostart the pool `default`, where none has its name or its folder.

    (virStoragePoolDefineXML, virStoragePoolBuild, virStoragePoolCreate, virStoragePoolSetAutostart)
    """
    with connect(context.host_id) as conn:
        for state in pools.list_pools(conn):
            pool = pools.describe_pool(conn, state.uuid)
            if pool.name == DEFAULT_POOL or (pool.path and Path(pool.path) == Path(DEFAULT_PATH)):
                there = {"name": pool.name, "path": pool.path}
                context.say(_("The pool %(name)s on %(path)s is there already: nothing to do.") % there)
                return
        definition = PoolXml(type="dir", name=DEFAULT_POOL, path=DEFAULT_PATH)
        uuid = pools.define_pool(conn, definition, autostart=True, start=True, build=True)
    settled(context, Ref("pool", context.host_id, uuid, DEFAULT_POOL))


def undo_pool(context: Context) -> None:
    """Forget the pool that was half made; its UUID is ours alone."""
    with connect(context.host_id) as conn:
        try:
            pools.remove_pool(conn, context.uuid)
        except NotFound:
            return
    read_again(context)


@job("storage.create_pool", undo=undo_pool)
def create_pool(context: Context) -> None:
    """Make a pool on a folder, and start it.

    (virStoragePoolDefineXML, virStoragePoolBuild, virStoragePoolCreate, virStoragePoolSetAutostart)
    """
    uuid, path = context.uuid, context.arguments["path"]
    definition = PoolXml(type="dir", name=context.ref.name, uuid=str(uuid), path=path)
    context.make(pool=str(uuid))
    with connect(context.host_id) as conn:
        pools.define_pool(conn, definition, autostart=context.arguments["autostart"], start=True, build=True)
    settled(context)


@job("storage.start_pool")
def start_pool(context: Context) -> None:
    """Make a pool active (virStoragePoolCreate)."""
    with connect(context.host_id) as conn:
        pools.start_pool(conn, context.uuid)
    settled(context)


@job("storage.stop_pool")
def stop_pool(context: Context) -> None:
    """Make a pool inactive (virStoragePoolDestroy)."""
    with connect(context.host_id) as conn:
        pools.stop_pool(conn, context.uuid)
    settled(context)


@job("storage.autostart_pool")
def autostart_pool(context: Context) -> None:
    """Say whether a pool starts with its host (virStoragePoolSetAutostart)."""
    with connect(context.host_id) as conn:
        pools.set_pool_autostart(conn, context.uuid, context.arguments["autostart"])
    settled(context)


@job("storage.remove_pool")
def remove_pool(context: Context) -> None:
    """Forget a pool; what lies in it stays (virStoragePoolDestroy, virStoragePoolUndefine)."""
    with connect(context.host_id) as conn:
        pools.remove_pool(conn, context.uuid)
    settled(context)
