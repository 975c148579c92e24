"""Disks that are there already: which may become a new guest's, and what their images are laid over."""

import posixpath
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.rights import Action, allowed
from hosts.models import Host
from storage.models import Pool, Volume, VolumeUse
from storage.usage import base_path
from tasks.models import Task
from webvirt.sentences import listed

FORMATS = ("qcow2", "raw")
DEEPEST = 20


def candidates(user: Any, hosts: list[Host]) -> list[Volume]:
    """Volumes of active pools of these hosts that `user` manages, that no guest uses and nothing is built on."""
    used = VolumeUse.objects.filter(host_id=OuterRef("pool__host_id"), path=OuterRef("path"))
    above = Volume.objects.filter(pool__host_id=OuterRef("pool__host_id"), backing_path=OuterRef("path"))
    rows = Volume.objects.visible_to(user).filter(pool__host__in=hosts, pool__state=Pool.State.ACTIVE)
    rows = rows.filter(format__in=FORMATS).exclude(name__iendswith=".iso")
    found = rows.exclude(Exists(used)).exclude(Exists(above)).select_related("pool__host").order_by("name")
    return allowed(user, found, Action.MANAGE)


def chain_of(volume: Volume) -> tuple[list[Volume], str]:
    """The volumes that its image is laid over, the nearest first.

    With them the path at which the chain leaves the volumes of the host's active pools, "" where it does not.
    """
    chain: list[Volume] = []
    here = volume
    while path := base_path(here.path, here.backing_path):
        known = active_volumes(volume.pool.host_id).filter(path=path).first()
        if known is None or len(chain) == DEEPEST or known in chain:
            return chain, path
        chain.append(known)
        here = known
    return chain, ""


def active_volumes(host_id: int) -> QuerySet[Volume]:
    rows = Volume.objects.filter(pool__host_id=host_id, pool__state=Pool.State.ACTIVE)
    return rows.select_related("pool__host")


def why_not(volume: Volume) -> str:
    """Why the volume cannot be a new guest's disk, as rows tell; "" where it can. The job looks again on the host."""
    if not volume.pool.is_active:
        return _("The pool of this disk is not active.")
    if volume.format not in FORMATS:
        return _("Its format is %(format)s; a guest's disk has one of: %(formats)s.") % {
            "format": volume.format,
            "formats": listed(FORMATS),
        }
    if VolumeUse.objects.filter(host_id=volume.pool.host_id, path=volume.path).exists():
        return _("A guest uses this disk already.")
    if is_base(volume):
        return _("Another volume is built on this one, and would be damaged.")
    _chain, outside = chain_of(volume)
    if outside:
        return _("It is laid over %(path)s, which is no volume of an active pool.") % {"path": outside}
    if under_way(volume):
        return _("A guest with this disk is being created.")
    return ""


def is_base(volume: Volume) -> bool:
    # The name alone narrows it down, since an image may name its base from its own folder.
    rows = Volume.objects.filter(pool__host_id=volume.pool.host_id)
    near = rows.filter(backing_path__endswith=posixpath.basename(volume.path)).values_list("path", "backing_path")
    return any(base_path(path, backing) == volume.path for path, backing in near)


def under_way(volume: Volume) -> bool:
    tasks = Task.objects.unfinished().filter(kind="instances.create", host_id=volume.pool.host_id)
    place = (str(volume.pool.uuid), volume.name)
    return any(
        (disk["pool"], disk["volume"]) == place
        for arguments in tasks.values_list("arguments", flat=True)
        for disk in arguments["disks"]
    )
