"""What the pages of pools show, in a constant number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import User
from storage.models import Pool, Upload, Volume
from storage.uploads import offset_of
from storage.usage import Use, uses_of
from tasks.models import Task
from webvirt.drawing import percent

SORTS: dict[str, Sequence[str]] = {
    "name": ["name"],
    "format": ["format", "name"],
    "size": ["capacity_bytes", "name"],
    "takes": ["allocation_bytes", "name"],
}


@dataclass(frozen=True)
class VolumeRow:
    """A volume and the guests that use it."""

    volume: Volume
    uses: list[Use]

    @property
    def backing_name(self) -> str:
        return self.volume.backing_path.rpartition("/")[2]


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
        if self.upload.state == Upload.State.RECEIVED:
            return "moving" if self.task and not self.task.ended else "failed"
        return self.upload.state


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
    return [VolumeRow(volume, uses.get(volume.pk, [])) for volume in volumes]


def upload_rows(pool: Pool, user: User, *, done: bool) -> list[UploadRow]:
    """The viewer's uploads into a pool (an admin's view: everybody's); those that are done only if asked for."""
    uploads = Upload.objects.visible_to(user).filter(pool=pool).select_related("owner")
    if not done:
        uploads = uploads.exclude(state=Upload.State.DONE)
    rows = list(uploads.order_by("created_at"))
    tasks = Task.objects.in_bulk([upload.task_id for upload in rows if upload.task_id])
    names = [upload.filename for upload in rows if upload.state == Upload.State.DONE]
    volumes = dict(pool.volumes.filter(name__in=names).values_list("name", "pk")) if names else {}
    return [
        UploadRow(upload, offset_of(upload), tasks.get(upload.task_id or 0), volumes.get(upload.filename))
        for upload in rows
    ]
