"""A guest's disks as rows tell of them: its CD drives, and the volumes that are its own."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from instances.models import Instance
from instances.names import made_for
from storage.models import Volume, VolumeUse
from virt.errors import InvalidDefinition
from virt.xml.domain import Domain
from virt.xml.own import Own


@dataclass(frozen=True)
class OwnDisk:
    """A volume that a guest has as a disk.

    `made_for_it` is whether it was made for this guest, by its name; `kept_because` says in words why
    it stays when the guest is deleted, "" where it may go.
    """

    volume: Volume
    target: str
    made_for_it: bool
    kept_because: str

    def as_argument(self) -> dict[str, str]:
        return {"pool": str(self.volume.pool.uuid), "name": self.volume.name, "path": self.volume.path}


def cd_drives(instance: Instance) -> dict[str, str]:
    """Its CD drives by target, each with the path of what is in it, "" where it is empty."""
    return {disk["target"]: disk["path"] for disk in instance.disks if disk["device"] == "cdrom"}


def own_disks(instance: Instance, viewer: Any) -> list[OwnDisk]:
    """The volumes that this guest has as disks, in its order; CD and floppy media are never among them.

    Other users of a disk are named only where `viewer` may see them.
    """
    disks = [disk for disk in instance.disks if disk["device"] == "disk" and disk["path"]]
    paths = [disk["path"] for disk in disks]
    on_host = Volume.objects.filter(pool__host_id=instance.host_id)
    volumes = {volume.path: volume for volume in on_host.filter(path__in=paths).select_related("pool__host")}
    users = users_of(instance, paths, viewer)
    brought = own_of(instance).brought_paths
    bases = dict(on_host.filter(backing_path__in=paths).values_list("backing_path", "pk"))
    seen = dict(Volume.objects.visible_to(viewer).filter(pk__in=bases.values()).values_list("pk", "name"))
    found = []
    for disk in disks:
        path = disk["path"]
        volume = volumes.get(path)
        if volume is None:
            continue
        kept = ""
        if path in brought:
            kept = _("was there before this guest")
        elif path in users:
            kept = _("also used by %(guest)s") % {"guest": users[path]}
        elif path in bases:
            kept = _("%(volume)s is built on it") % {"volume": seen.get(bases[path]) or _("another volume")}
        elif disk["shareable"]:
            kept = _("shared between guests")
        elif disk["readonly"]:
            kept = _("read-only")
        made = path not in brought and made_for(instance.name, volume.name)
        found.append(OwnDisk(volume, disk["target"], made, kept))
    return found


def own_of(instance: Instance) -> Own:
    """What its definition holds of ours; nothing where it cannot be read."""
    try:
        return Own.of(Domain.parse(instance.inactive_xml or instance.xml))
    except InvalidDefinition:
        return Own()


def users_of(instance: Instance, paths: list[str], viewer: Any) -> dict[str, str]:
    """Another guest's name, or words for it, by the path that it uses too."""
    uses = VolumeUse.objects.filter(host_id=instance.host_id, path__in=paths).exclude(instance_uuid=instance.uuid)
    by_path = dict(uses.values_list("path", "instance_uuid"))
    others = Instance.objects.visible_to(viewer).filter(host_id=instance.host_id, uuid__in=by_path.values())
    names = dict(others.values_list("uuid", "name"))
    return {path: names.get(uuid) or _("another guest") for path, uuid in by_path.items()}
