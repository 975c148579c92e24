"""Whether a host, as last seen, can give what a new guest asks for. The job looks again on the host itself."""

from collections import defaultdict
from functools import cached_property

from django.utils.translation import gettext as _

from hosts.models import HostStatus
from instances.existing import why_not
from instances.models import Instance
from instances.spec import MIB, Errors, NewDisk, OldDisk, Spec
from storage.models import Volume
from tasks.errors import Invalid, Words
from tasks.models import Task
from virt.errors import InvalidDefinition
from virt.xml.capabilities import Capabilities, DomainCapabilities
from webvirt.units import size

LEAST_MEMORY = 16 * MIB
LEAST_DISK = MIB
MOST_VCPUS_UNKNOWN = 255
MOST_DISKS = 20
MOST_CARDS = 8


class Offer:
    """What a host offers, read from its capabilities as last seen; generous where they are not known."""

    def __init__(self, status: HostStatus) -> None:
        self.status = status

    @cached_property
    def domain(self) -> DomainCapabilities | None:
        try:
            return DomainCapabilities.parse(self.status.domcapabilities_xml)
        except InvalidDefinition:
            return None

    @cached_property
    def host(self) -> Capabilities | None:
        try:
            return Capabilities.parse(self.status.capabilities_xml)
        except InvalidDefinition:
            return None

    @property
    def most_vcpus(self) -> int:
        return (self.domain.max_vcpus if self.domain else None) or MOST_VCPUS_UNKNOWN

    @property
    def uefi(self) -> bool:
        return self.domain is not None and "efi" in self.domain.firmware

    @property
    def virt_types(self) -> list[str]:
        return [word for word in ("kvm", "qemu") if self.host and word in self.host.virt_types(self.status.arch)]

    @property
    def buses(self) -> list[str] | None:
        return (self.domain.disk_buses if self.domain else None) or None

    @property
    def videos(self) -> list[str] | None:
        return (self.domain.video_models if self.domain else None) or None

    def cpus(self, virt_type: str) -> list[str] | None:
        """The CPU modes on offer for a virt type ("": the host's choice), None where they are not known."""
        known = self.domain is not None and virt_type in ("", self.domain.virt_type)
        return (self.domain.supported_cpu_modes if self.domain and known else None) or None

    @cached_property
    def machines(self) -> list[str]:
        return self.host.machines(self.status.arch) if self.host else []

    @property
    def machine_aliases(self) -> list[str]:
        """The machine types that stand for the newest of their kind, as `q35`."""
        offered = self.host.guest_arch(self.status.arch) if self.host else None
        found = {machine.name for machine in offered.machines if machine.canonical} if offered else set()
        return sorted(name for name in found if name)


def check(spec: Spec) -> None:
    """Raise Invalid, with errors by field, unless the host can give what is asked for."""
    errors: Errors = defaultdict(list)
    offer = Offer(spec.host.status)
    check_name(spec, errors)
    check_machine(spec, offer, errors)
    check_disks(spec, offer, errors)
    check_places(spec, errors)
    if errors:
        raise Invalid(_("See the fields marked below."), errors=dict(errors))


def check_name(spec: Spec, errors: Errors) -> None:
    taken = Instance.objects.filter(host=spec.host, name=spec.name).exists()
    under_way = Task.objects.unfinished().filter(kind="instances.create", host_id=spec.host.pk, object_name=spec.name)
    if taken:
        errors["name"].append(_("%(host)s has a guest of this name already.") % {"host": spec.host.name})
    elif under_way.exists():
        errors["name"].append(_("A guest of this name is being created on %(host)s.") % {"host": spec.host.name})
    new = spec.new_disks()
    found = Volume.objects.filter(pool__in=[disk.pool for disk in new.values()], name__in=new).values_list(
        "pool_id", "name"
    )
    clashes = set(found)
    for name, disk in new.items():
        if (disk.pool.pk, name) in clashes:
            errors["name"].append(
                _("The pool %(pool)s has a volume %(volume)s already.") % {"pool": disk.pool.name, "volume": name}
            )


def check_machine(spec: Spec, offer: Offer, errors: Errors) -> None:
    status = spec.host.status
    if not 1 <= spec.vcpus <= offer.most_vcpus:
        errors["vcpus"].append(
            _("%(host)s gives a guest from 1 to %(most)d vCPU.") % {"host": spec.host.name, "most": offer.most_vcpus}
        )
    if spec.memory_bytes < LEAST_MEMORY:
        errors["memory_bytes"].append(_("A guest needs at least %(size)s.") % {"size": size(LEAST_MEMORY, exact=True)})
    elif status.memory_bytes and spec.memory_bytes > status.memory_bytes:
        errors["memory_bytes"].append(
            _("%(host)s has %(size)s of memory.") % {"host": spec.host.name, "size": size(status.memory_bytes)}
        )
    for field, value, offered in (
        ("virt_type", spec.virt_type, offer.virt_types),
        ("machine", spec.machine, offer.machines),
        ("video", spec.video, offer.videos),
        ("cpu", spec.cpu, offer.cpus(spec.virt_type)),
    ):
        if value and offered and value not in offered:
            errors[field].append(_("%(host)s does not offer %(word)s.") % {"host": spec.host.name, "word": value})
    if spec.firmware == "uefi" and not offer.uefi:
        errors["firmware"].append(_("%(host)s has no UEFI firmware for guests.") % {"host": spec.host.name})


def check_disks(spec: Spec, offer: Offer, errors: Errors) -> None:
    if len(spec.disks) > MOST_DISKS:
        errors["disks"].append(_("At most %(most)d disks.") % {"most": MOST_DISKS})
    asked: dict[int, int] = defaultdict(int)
    taken: set[int] = set()
    for place, disk in enumerate(spec.disks):
        faults: dict[str, Words] = {
            "bus": "" if not offer.buses or disk.bus in offer.buses else _("The host does not offer this bus.")
        }
        if isinstance(disk, OldDisk):
            faults["volume"] = wrong_volume(spec, disk, taken)
            taken.add(disk.volume.pk)
        else:
            asked[disk.pool.pk] += disk.size_bytes
            faults |= {"pool": wrong_pool(spec, disk), "size_bytes": wrong_size(disk, asked[disk.pool.pk])}
        for field, words in faults.items():
            if words:
                errors[f"disks.{place}.{field}"].append(words)


def wrong_volume(spec: Spec, disk: OldDisk, taken: set[int]) -> Words:
    if disk.volume.pool.host_id != spec.host.pk:
        return _("This disk is on another host.")
    if disk.volume.pk in taken:
        return _("This disk is in the list twice.")
    return why_not(disk.volume)


def wrong_pool(spec: Spec, disk: NewDisk) -> Words:
    if disk.pool.host_id != spec.host.pk:
        return _("This pool is on another host.")
    return "" if disk.pool.is_active else _("This pool is not active.")


def wrong_size(disk: NewDisk, together: int) -> Words:
    if disk.size_bytes < LEAST_DISK:
        return _("A disk needs at least %(size)s.") % {"size": size(LEAST_DISK, exact=True)}
    if together > disk.pool.available_bytes:
        return _("%(pool)s has %(size)s free.") % {"pool": disk.pool.name, "size": size(disk.pool.available_bytes)}
    return ""


def check_places(spec: Spec, errors: Errors) -> None:
    """The ISO and the networks: on this host, and there."""
    if spec.cdrom is not None and spec.cdrom.pool.host_id != spec.host.pk:
        errors["cdrom"].append(_("This image is on another host."))
    elif spec.cdrom is not None and not spec.cdrom.pool.is_active:
        errors["cdrom"].append(_("The pool of this image is not active."))
    if len(spec.networks) > MOST_CARDS:
        errors["networks"].append(_("At most %(most)d network cards.") % {"most": MOST_CARDS})
    for place, card in enumerate(spec.networks):
        if card.network.host_id != spec.host.pk:
            errors[f"networks.{place}.network"].append(_("This network is on another host."))
        elif not card.network.active:
            errors[f"networks.{place}.network"].append(_("This network is not active."))
