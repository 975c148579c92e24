"""What the pages of pools show, in a constant number of queries."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from storage.formats import DISKS, FOLDER, ISO
from storage.models import Pool, Upload, Volume
from storage.uploads import offset_of
from storage.usage import Use, bases_on, uses_of
from tasks.models import Task
from webvirt.drawing import percent

SORTS: dict[str, Sequence[str]] = {
    "name": ["name"],
    "format": ["format", "name"],
    "size": ["capacity_bytes", "name"],
    "takes": ["allocation_bytes", "name"],
}

# A task ends some seconds after its upload is done: when the lists show the volume.
SETTLED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class VolumeRow:
    """A volume, the guests that use it, and whether another one is built on it."""

    volume: Volume
    uses: list[Use]
    is_base: bool

    @property
    def starts(self) -> str:
        """What the form of a new guest calls it: cdrom, disk, or "" where no guest starts from it."""
        if self.volume.format == ISO or self.volume.name.lower().endswith(".iso"):
            return "cdrom"
        free = self.volume.format in DISKS and not self.uses and not self.is_base
        return "disk" if free else ""

    @property
    def is_file(self) -> bool:
        return self.volume.format != FOLDER

    @property
    def grows(self) -> bool:
        return self.volume.format in DISKS and not self.is_base

    @property
    def backing_name(self) -> str:
        return posixpath.basename(self.volume.backing_path)


@dataclass(frozen=True)
class UploadRow:
    """An upload as far as it came; `task` moves it into its pool, `volume_id` is what became of it."""

    upload: Upload
    offset: int
    task: Task | None
    volume_id: int | None

    @property
    def percent(self) -> float:
        return percent(self.offset, self.upload.length)

    @property
    def state(self) -> str:
        """open, moving, failed or done: what the row says."""
        if self.upload.state in (Upload.State.RECEIVED, Upload.State.DONE) and self.task and not self.task.ended:
            return "moving"
        return "failed" if self.upload.state == Upload.State.RECEIVED else self.upload.state


def pools_of(user: Any, *, host: str = "", text: str = "") -> Any:
    """The pools that the viewer may see, by host id and by text in name or path."""
    pools = Pool.objects.visible_to(user).with_host().order_by("host__name", "name")
    if host:
        pools = (
            pools.filter(host_id=int(host)) if host.isascii() and host.isdigit() and len(host) < 19 else pools.none()
        )
    return pools.filter(Q(name__icontains=text) | Q(path__icontains=text)) if text else pools


def volume_rows(volumes: Iterable[Volume], user: Any) -> list[VolumeRow]:
    volumes = list(volumes)
    uses = uses_of(volumes, user)
    bases = bases_on(volume.pool.host_id for volume in volumes)
    return [
        VolumeRow(volume, uses.get(volume.pk, []), (volume.pool.host_id, volume.path) in bases) for volume in volumes
    ]


def upload_rows(pool: Pool, user: User, *, done: bool) -> list[UploadRow]:
    """The viewer's uploads into a pool (an admin's view: everybody's).

    Those that are in the pool already only if asked for; until their task has ended, they are not.
    """
    uploads = Upload.objects.visible_to(user).filter(pool=pool).select_related("owner").order_by("created_at")
    if not done:
        uploads = uploads.exclude(state=Upload.State.DONE, touched_at__lt=timezone.now() - SETTLED_AFTER)
    rows = list(uploads)
    tasks = Task.objects.in_bulk([upload.task_id for upload in rows if upload.task_id])
    names = {upload.filename: upload.pk for upload in rows if upload.state == Upload.State.DONE}
    volumes = {names[name]: pk for name, pk in pool.volumes.filter(name__in=names).values_list("name", "pk")}
    shown = [
        UploadRow(upload, offset_of(upload), tasks.get(upload.task_id or 0), volumes.get(upload.pk)) for upload in rows
    ]
    # A volume that was removed since is not in the pool, whoever put it there.
    return [row for row in shown if row.state != "done" or (done and row.volume_id)]
