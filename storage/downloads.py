"""Downloads: a volume's content, kept for a day where nginx can send it from. A file's name is its task's number."""

import logging
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.rights import Action, require
from tasks.errors import Refused
from tasks.models import Task

log = logging.getLogger(__name__)

KIND = "storage.download"
KEPT = timedelta(hours=24)
# Where nginx sends the files from, for whoever this program lets through.
INTERNAL = "/_downloads/"


class Gone(Refused):
    """It was there, and is not kept any more."""

    status = 410
    title = gettext_lazy("The file is not kept any more")


def path_of(task_id: int) -> Path:
    return Path(settings.DOWNLOADS) / str(task_id)


def free_bytes() -> int:
    """Bytes that may still be written there."""
    return shutil.disk_usage(settings.DOWNLOADS).free


def create(task_id: int) -> BinaryIO:
    """An empty file, for this user alone; what a first try left is overwritten."""
    descriptor = os.open(path_of(task_id), os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")


def downloads_of(user: User) -> QuerySet[Task]:
    """The downloads that this user asked for: nobody else's are theirs to fetch."""
    return Task.objects.filter(kind=KIND, actor=user)


def answer(*, task: Task, user: User) -> HttpResponse:
    """Hand the sending over to nginx, which knows ranges.

    Raises PermissionDenied for who may not manage the pool any more, Refused while the file is not whole, Gone.
    """
    require(user, Action.MANAGE, task.ref)
    if not task.ended:
        raise Refused(_("%(name)s is not whole yet.") % {"name": task.object_name})
    if not is_kept(task) or not path_of(task.pk).exists():
        raise Gone(_("A download is kept for 24 hours. Ask for it again."))
    response = HttpResponse(content_type="application/octet-stream")
    response["X-Accel-Redirect"] = f"{INTERNAL}{task.pk}"
    response["Content-Disposition"] = content_disposition_header(True, task.object_name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def is_kept(task: Task) -> bool:
    """Whether its file is wanted: it is being written, or was made within the last 24 h."""
    made = task.state == Task.State.SUCCEEDED and task.ended_at is not None
    return not task.ended or (made and timezone.now() - task.ended_at < KEPT)  # type: ignore[operator] # not None


def clean() -> None:
    """Remove the files that are not kept any more."""
    files: dict[str, Any] = {path.name: path for path in Path(settings.DOWNLOADS).iterdir()}
    numbers = [int(name) for name in files if name.isascii() and name.isdigit()]
    kept = {str(task.pk) for task in Task.objects.filter(kind=KIND, pk__in=numbers) if is_kept(task)}
    for name in files.keys() - kept:
        log.info("removing the download %s", name)
        files[name].unlink(missing_ok=True)
