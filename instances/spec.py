"""What a new guest shall be: one shape for the page's form and the API.

`resolve` turns ids into objects that the user may see; what a host can give is looked at by `limits`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from hosts.models import Host
from instances.names import validate_name, volume_name
from networks.models import Network
from storage.models import Pool, Volume
from tasks.errors import Invalid, Words

GIB = 1024**3
MIB = 1024**2
BLOCK = 4096  # sizes of disks are rounded up to it, as every format and sector size allows

FIRMWARES = ("bios", "uefi")
FORMATS = ("qcow2", "raw")
BUSES = ("virtio", "scsi", "sata", "ide", "usb")
CARDS = ("virtio", "e1000e", "e1000", "rtl8139")
VIDEOS = ("vga", "virtio", "qxl", "bochs", "cirrus", "ramfb")

DEFAULT_VCPUS = 2
DEFAULT_MEMORY_BYTES = 2 * GIB

Errors = dict[str, list[Words]]


class WantedDisk(TypedDict):
    """`pool` is an id."""

    pool: int
    size_bytes: int
    format: NotRequired[str]
    bus: NotRequired[str]


class WantedCard(TypedDict):
    """`network` is an id."""

    network: int
    model: NotRequired[str]


class Wanted(TypedDict):
    """A new guest as asked for, by ids; what is left out has the defaults that `resolve` gives.

    `machine` and `virt_type` left out or empty are the host's choice.
    """

    host: int
    name: str
    vcpus: NotRequired[int]
    memory_bytes: NotRequired[int]
    firmware: NotRequired[str]
    machine: NotRequired[str]
    virt_type: NotRequired[str]
    video: NotRequired[str]
    disks: NotRequired[Sequence[WantedDisk]]
    cdrom: NotRequired[int | None]
    networks: NotRequired[Sequence[WantedCard] | None]
    start: NotRequired[bool]


@dataclass(frozen=True)
class NewDisk:
    """An empty disk to be made."""

    pool: Pool
    size_bytes: int
    format: str
    bus: str


@dataclass(frozen=True)
class NewCard:
    """A network card."""

    network: Network
    model: str


@dataclass(frozen=True)
class Spec:
    """A new guest. Sizes are bytes; `machine` and `virt_type` empty are the host's choice."""

    host: Host
    name: str
    vcpus: int
    memory_bytes: int
    firmware: str
    machine: str
    virt_type: str
    video: str
    disks: tuple[NewDisk, ...]
    cdrom: Volume | None
    networks: tuple[NewCard, ...]
    start: bool

    def volume_names(self) -> list[str]:
        """What its disks' volumes will be called, in their order."""
        return [volume_name(self.name, number, disk.format) for number, disk in enumerate(self.disks, start=1)]

    def as_arguments(self) -> dict[str, Any]:
        """The task's arguments: everything the job needs, by the names that the host knows."""
        return {
            "name": self.name,
            "vcpus": self.vcpus,
            "memory_bytes": self.memory_bytes,
            "firmware": self.firmware,
            "machine": self.machine,
            "virt_type": self.virt_type,
            "video": self.video,
            "disks": [
                {
                    "pool": str(disk.pool.uuid),
                    "pool_name": disk.pool.name,
                    "volume": name,
                    "size_bytes": disk.size_bytes,
                    "format": disk.format,
                    "bus": disk.bus,
                }
                for disk, name in zip(self.disks, self.volume_names(), strict=True)
            ],
            "cdrom": {"pool": str(self.cdrom.pool.uuid), "volume": self.cdrom.name} if self.cdrom else None,
            "networks": [
                {"uuid": str(card.network.uuid), "network": card.network.name, "model": card.model}
                for card in self.networks
            ],
            "start": self.start,
        }


class Lookup:
    """Finds what a user named by id, and gathers what is wrong by field."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.errors: Errors = {}

    def find(self, field: str, queryset: Any, pk: int, words: str) -> Any:
        found = queryset.visible_to(self.user).filter(pk=pk).first()
        if found is None:
            self.errors.setdefault(field, []).append(words)
        return found

    def choose(self, field: str, value: str, offered: Sequence[str]) -> str:
        if value not in offered:
            self.errors.setdefault(field, []).append(
                _("Choose one of: %(words)s.") % {"words": ", ".join(word or "“”" for word in offered)}
            )
        return value


def resolve(wanted: Wanted, *, user: Any) -> Spec:
    """Find what `wanted` names among what `user` may see. Raises Invalid with errors by field.

    Fields of lists are named as `disks.0.pool`.
    """
    look = Lookup(user)
    try:
        validate_name(wanted["name"])
    except ValidationError as error:
        look.errors["name"] = list(error.messages)
    host = look.find("host", Host.objects.select_related("status"), wanted["host"], _("There is no such host."))
    cdrom_id = wanted.get("cdrom")
    volumes = Volume.objects.select_related("pool__host")
    cdrom = None if cdrom_id is None else look.find("cdrom", volumes, cdrom_id, _("There is no such image."))
    disks = find_disks(look, wanted.get("disks") or ())
    networks = find_cards(look, wanted, host)
    firmware = look.choose("firmware", wanted.get("firmware") or "bios", FIRMWARES)
    virt_type = look.choose("virt_type", wanted.get("virt_type") or "", ("", "kvm", "qemu"))
    video = look.choose("video", wanted.get("video") or "vga", VIDEOS)
    if look.errors:
        raise Invalid(_("See the fields marked below."), errors=look.errors)
    return Spec(
        host=host,
        name=wanted["name"],
        vcpus=wanted.get("vcpus") or DEFAULT_VCPUS,
        memory_bytes=wanted.get("memory_bytes") or DEFAULT_MEMORY_BYTES,
        firmware=firmware,
        machine=wanted.get("machine") or "",
        virt_type=virt_type,
        video=video,
        disks=disks,
        cdrom=cdrom,
        networks=networks,
        start=bool(wanted.get("start")),
    )


def find_disks(look: Lookup, wanted: Sequence[WantedDisk]) -> tuple[NewDisk, ...]:
    pools = Pool.objects.select_related("host")
    return tuple(
        NewDisk(
            pool=look.find(f"disks.{place}.pool", pools, disk["pool"], _("There is no such pool.")),
            size_bytes=-(-disk["size_bytes"] // BLOCK) * BLOCK,
            format=look.choose(f"disks.{place}.format", disk.get("format") or "qcow2", FORMATS),
            bus=look.choose(f"disks.{place}.bus", disk.get("bus") or "virtio", BUSES),
        )
        for place, disk in enumerate(wanted)
    )


def find_cards(look: Lookup, wanted: Mapping[str, Any], host: Host | None) -> tuple[NewCard, ...]:
    cards: Sequence[WantedCard] | None = wanted.get("networks")
    if cards is None:
        default = Network.objects.visible_to(look.user).filter(host=host, name="default", active=True).first()
        return (NewCard(default, "virtio"),) if default else ()
    networks = Network.objects.select_related("host")
    return tuple(
        NewCard(
            network=look.find(f"networks.{place}.network", networks, card["network"], _("There is no such network.")),
            model=look.choose(f"networks.{place}.model", card.get("model") or "virtio", CARDS),
        )
        for place, card in enumerate(cards)
    )
