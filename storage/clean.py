"""What beat does every few minutes: carry on whole uploads, forget files that nobody will go on with."""

import logging
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from storage import downloads, spool, uploads
from storage.models import Upload
from tasks.errors import Refused

log = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
# A file whose row is not committed yet, or that is just being removed, is younger.
STRAY_SECONDS = 3600


def clean() -> None:
    """Look at every upload, every spool file and every download once."""
    for upload in Upload.objects.select_related("owner", "pool__host__status"):
        try:
            look_at(upload)
        except (Refused, PermissionDenied) as reason:
            log.info("upload %s waits: %s", upload.pk, reason)
    remove_strays()
    downloads.clean()


def look_at(upload: Upload) -> None:
    uploads.settle_ended(upload)
    if not spool.path_of(upload.pk).exists() and upload.state != Upload.State.DONE:
        uploads.discard(upload)
    elif upload.state == Upload.State.OPEN:
        with spool.held(upload.pk) as file:
            whole, age = file.size == upload.length, file.age
            if age > KEPT.total_seconds():
                uploads.discard(upload)
        if whole and age <= KEPT.total_seconds():
            # The last answer was lost, or the host was away: nobody else will ask.
            uploads.take_in(upload=upload)
    elif upload.state != Upload.State.RECEIVED and timezone.now() - upload.touched_at > KEPT:
        uploads.discard(upload)


def remove_strays() -> None:
    """Remove spool files that have no row."""
    known = {pk.hex for pk in Upload.objects.values_list("pk", flat=True)}
    for path in Path(settings.SPOOL).iterdir():
        if path.name in known or time.time() - path.stat().st_mtime < STRAY_SECONDS:
            continue
        log.warning("removing %s: no upload has it", path)
        path.unlink(missing_ok=True)
