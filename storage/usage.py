"""Who uses what: as far as the viewer may see guests at all."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.rights import Ref
from live.registry import TYPES
from storage.models import Volume, VolumeUse


@dataclass(frozen=True)
class Use:
    """A guest that uses a volume; `instance_id` and `name` are None and "" for one that the viewer may not see."""

    instance_id: int | None
    name: str


def uses_of(volumes: Iterable[Volume], user: Any) -> dict[int, list[Use]]:
    """The guests that use each volume (by its id), in a constant number of queries. Volumes come with their pool."""
    by_place = {(volume.pool.host_id, volume.path): volume.pk for volume in volumes}
    hosts, paths = {host for host, _path in by_place}, {path for _host, path in by_place}
    rows = VolumeUse.objects.filter(host_id__in=hosts, path__in=paths).order_by("instance_name")
    refs = {row.pk: Ref("instance", row.host_id, row.instance_uuid) for row in rows}
    guests = TYPES["instance"]
    ids = guests.find(set(refs.values()))
    seen = guests.visible(user, ids.values())
    found: dict[int, list[Use]] = defaultdict(list)
    for row in rows:
        volume = by_place.get((row.host_id, row.path))
        instance = ids.get(refs[row.pk])
        if volume is not None:
            found[volume].append(Use(instance, row.instance_name) if instance in seen else Use(None, ""))
    return found


def base_path(path: str, backing: str) -> str:
    """Where the image that one at `path` names as its base lies; "" where it names none."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), backing)) if backing else ""


def bases_on(host_ids: Iterable[int]) -> set[tuple[int, str]]:
    """The host and path of every image that a volume of these hosts is built on, in one query."""
    rows = Volume.objects.filter(pool__host_id__in=set(host_ids)).exclude(backing_path="")
    return {
        (host, base_path(path, backing))
        for host, path, backing in rows.values_list("pool__host_id", "path", "backing_path")
    }
