"""Uploads: from the first byte in the spool to the task that moves the file into its pool."""

import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, Ref, require
from hosts.drivers import require_offered
from hosts.services import change, require_up
from live.channel import publish
from storage import spool
from storage.errors import ImageRefused, NoRoom, PatchRefused, TooLarge
from storage.filenames import fault_of
from storage.models import Pool, Upload
from tasks import services as tasks
from tasks.errors import Invalid, Refused
from tasks.models import Task
from tasks.registry import LONG
from virt import images
from webvirt.units import size

# The task that moves a file into its pool.
STORE = "storage.upload"
SHA256 = re.compile(r"[0-9a-f]{64}")
# The hard time limit of the task: this many seconds, and those that its bytes take at a slow network's pace.
LEAST_SECONDS = 600
SLOWEST_BYTES_PER_SECOND = 2 * 1024**2


def create_upload(*, owner: User, pool: Pool, filename: str, length: int, sha256: str = "") -> Upload:
    """Open an upload of `length` bytes that will become the volume `filename` of `pool`.

    Raises PermissionDenied, HostAway, Invalid (by field: filename, length, sha256), Refused when the
    pool is not active, TooLarge, and NoRoom, where other open uploads count as if they had come already.
    """
    require(owner, Action.MANAGE, pool.ref)
    require_up(pool.host)
    require_offered(pool.host, STORE)
    if not pool.is_active:
        raise Refused(_("The pool %(pool)s is not active.") % {"pool": pool.name})
    sha256 = sha256.strip().lower()
    check_fields(filename, length, sha256)
    with transaction.atomic():
        # Held, so that two uploads of one name or of the last room are asked one after the other.
        Pool.objects.select_for_update().get(pk=pool.pk)
        check_name(pool, filename)
        check_room(pool, length)
        upload = Upload.objects.create(owner=owner, pool=pool, filename=filename, length=length, sha256=sha256)
        spool.create(upload.pk)
    publish("pool", pool.pk)
    return upload


def check_fields(filename: str, length: int, sha256: str) -> None:
    if fault := fault_of(filename):
        raise Invalid(_("Rename the file, then upload it."), errors={"filename": [fault]})
    if length < 1:
        raise Invalid(_("There is nothing to upload."), errors={"length": [_("The file is empty.")]})
    if settings.UPLOAD_MAX and length > settings.UPLOAD_MAX:
        words = {"size": size(length), "most": size(settings.UPLOAD_MAX)}
        raise TooLarge(_("The file has %(size)s; here at most %(most)s are taken (WEBVIRT_UPLOAD_MAX).") % words)
    if sha256 and not SHA256.fullmatch(sha256):
        raise Invalid(
            _("Leave the checksum out, or correct it."),
            errors={"sha256": [_("A SHA-256 has 64 hexadecimal digits.")]},
        )


def check_name(pool: Pool, filename: str) -> None:
    if fault := fault_of_taken(pool, filename):
        raise Invalid(_("Choose another name, or remove what has it."), errors={"filename": [fault]})


def fault_of_taken(pool: Pool, name: str) -> str:
    """Why a new volume cannot have this name, as rows tell; "" where it can. The job looks again on the host."""
    if pool.volumes.filter(name=name).exists():
        return _("The pool %(pool)s has a volume of this name already.") % {"pool": pool.name}
    if under_way(pool).filter(filename=name).exists():
        return _("A file of this name is being uploaded already.")
    return ""


def under_way(pool: Pool) -> Any:
    """The uploads whose bytes are still to come into `pool`."""
    return pool.uploads.filter(state__in=[Upload.State.OPEN, Upload.State.RECEIVED])


def check_room(pool: Pool, length: int) -> None:
    still_coming = sum(max(other.length - spool.size_of(other.pk), 0) for other in Upload.objects.open())
    if (free := spool.free_bytes() - still_coming) < length:
        where = _("on the disk that Webvirt receives files on")
        raise NoRoom(room_words(length, free, where))
    if (free := unpromised_bytes(pool)) < length:
        raise NoRoom(room_words(length, free, _("in the pool %(pool)s") % {"pool": pool.name}))


def unpromised_bytes(pool: Pool) -> int:
    """What is free in the pool, and not meant for a file that is on its way there."""
    promised: int = under_way(pool).aggregate(total=Sum("length"))["total"] or 0
    return pool.available_bytes - promised


def room_words(length: int, free: int, where: str) -> str:
    words = {"size": size(length), "free": size(max(free, 0)), "where": where}
    return _("The file has %(size)s, and %(free)s are free %(where)s, other uploads counted.") % words


def offset_of(upload: Upload) -> int:
    """Bytes that have come."""
    if upload.state in (Upload.State.RECEIVED, Upload.State.DONE):
        return upload.length
    return spool.size_of(upload.pk)


def take_in(*, upload: Upload, digest: str = "") -> Task:
    """Ask for the task that moves a whole file into its pool; asked twice, the task of the first time.

    `digest` is the file's SHA-256 where that is known; the task works it out otherwise.

    Raises ImageRefused, after removing the upload, where its head names other files; PatchRefused (404) where it
    went with its pool or host meanwhile; and what `change` raises.
    """
    if not Upload.objects.filter(pk=upload.pk).exists():
        spool.remove(upload.pk)
        raise PatchRefused(404, _("Its pool or its host was removed while the file came. Nothing of it is kept."))
    refuse_dangerous(upload)
    with transaction.atomic():
        taken = Upload.objects.open().filter(pk=upload.pk).update(state=Upload.State.RECEIVED, digest=digest)
        if taken:
            return ask_to_store(upload, upload.owner)
    upload.refresh_from_db()
    task = Task.objects.filter(pk=upload.task_id or 0).first()
    if task is None:
        raise Refused(_("The upload has ended."))
    return task


def retry_upload(*, upload: Upload, actor: User) -> Task:
    """Move a file into its pool again, after that failed. Raises Refused when there is nothing to try again."""
    if actor.pk != upload.owner_id:
        require(actor, Action.ADMINISTER, upload.pool.ref)
    settle_ended(upload)
    if spool.size_of(upload.pk) != upload.length:
        raise Refused(_("The file is not kept any more. Upload it again."))
    with transaction.atomic():
        failed = Upload.objects.filter(pk=upload.pk, state=Upload.State.FAILED)
        if not failed.update(state=Upload.State.RECEIVED):
            raise Refused(_("This upload has not failed."))
        return ask_to_store(upload, actor)


def ask_to_store(upload: Upload, actor: User) -> Task:
    """Write the task; inside the transaction that marked the upload as received."""
    pool = upload.pool
    task = change(
        STORE,
        host=pool.host,
        target=Ref("volume", pool.host_id, pool.uuid, upload.filename),
        actor=actor,
        action=Action.MANAGE,
        arguments={"upload": str(upload.pk), "length": upload.length},
        lock_key=volume_lock(pool, upload.filename),
        queue=LONG,
        limit=LEAST_SECONDS + upload.length // SLOWEST_BYTES_PER_SECOND,
    )
    Upload.objects.filter(pk=upload.pk).update(task_id=task.pk, touched_at=timezone.now())
    publish("pool", pool.pk)
    return task


def volume_lock(pool: Pool, name: str) -> str:
    """Changes of one volume wait for each other under this key."""
    return f"volume:{pool.host_id}:{pool.uuid}:{name}"


def refuse_dangerous(upload: Upload) -> None:
    """Look at the file's head before any host sees a byte of it."""
    if upload.state != Upload.State.OPEN:
        return
    with spool.path_of(upload.pk).open("rb") as file:
        found = images.refusal(images.inspect(file.read(images.HEAD_BYTES), upload.length))
    if found is None:
        return
    discard(upload)
    raise ImageRefused(f"{_(found.detail) % found.params} {_(found.hint)}")


def abort_upload(*, upload: Upload, actor: User) -> None:
    """End an upload and remove what has come; one that is being moved into its pool is cancelled.

    Raises PermissionDenied for another's upload.
    """
    if actor.pk != upload.owner_id:
        require(actor, Action.ADMINISTER, upload.pool.ref)
    if task := settle_ended(upload):
        tasks.cancel(task=task, actor=actor)
        if not task.ended:
            return  # its job removes the upload, after the volume
    discard(upload)


def discard(upload: Upload) -> None:
    """Forget an upload and its file."""
    spool.remove(upload.pk)
    Upload.objects.filter(pk=upload.pk).delete()
    publish("pool", upload.pool_id)


def settle_ended(upload: Upload) -> Task | None:
    """Bring an upload to what its task came to, where the job itself could not; the task, while it is not ended."""
    if upload.state != Upload.State.RECEIVED:
        return None
    task = Task.objects.filter(pk=upload.task_id or 0).first()
    if task and not task.ended:
        return task
    if task and task.state == Task.State.CANCELLED:
        discard(upload)
    elif task is None or task.state != Task.State.SUCCEEDED:
        mark_failed(upload)
    return None


def mark_failed(upload: Upload) -> None:
    """Its task ended without the volume; the file stays for another try."""
    mark(upload, Upload.State.FAILED)


def mark_done(upload: Upload) -> None:
    """The volume is whole."""
    mark(upload, Upload.State.DONE)


def mark(upload: Upload, state: Upload.State) -> None:
    upload.state = state
    Upload.objects.filter(pk=upload.pk).update(state=state, touched_at=timezone.now())
    publish("pool", upload.pool_id)
