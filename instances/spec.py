"""What a new guest shall be: one shape for the page's form and the API.

`resolve` turns ids into objects that the user may see; what a host can give is looked at by `limits`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from hosts.models import Host
from instances.existing import chain_of
from instances.names import validate_name, volume_name
from networks.models import Network
from storage.models import Pool, Volume
from tasks.errors import Invalid, Words
from webvirt.sentences import listed

GIB = 1024**3
MIB = 1024**2
BLOCK = 4096  # sizes of disks are rounded up to it, as every format and sector size allows

FIRMWARES = ("bios", "uefi")
FORMATS = ("qcow2", "raw")
BUSES = ("virtio", "scsi", "sata", "ide", "usb")
CARDS = ("virtio", "e1000e", "e1000", "rtl8139")
CPUS = ("host-passthrough", "host-model", "maximum")
VIDEOS = ("vga", "virtio", "qxl", "bochs", "cirrus", "ramfb")

DEFAULT_VCPUS = 2
DEFAULT_MEMORY_BYTES = 2 * GIB

Errors = dict[str, list[Words]]


class WantedDisk(TypedDict):
    """An empty disk of `size_bytes` to be made in `pool`, or the `volume` that is there; both are ids."""

    pool: NotRequired[int]
    size_bytes: NotRequired[int]
    volume: NotRequired[int]
    format: NotRequired[str]
    bus: NotRequired[str]


class WantedCard(TypedDict):
    """`network` is an id."""

    network: int
    model: NotRequired[str]


class Wanted(TypedDict):
    """A new guest as asked for, by ids; what is left out has the defaults that `resolve` gives.

    `machine`, `virt_type` and `cpu` left out or empty are the host's choice.
    """

    host: int
    name: str
    vcpus: NotRequired[int]
    memory_bytes: NotRequired[int]
    firmware: NotRequired[str]
    machine: NotRequired[str]
    virt_type: NotRequired[str]
    cpu: NotRequired[str]
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

    @property
    def pools(self) -> list[Pool]:
        return [self.pool]

    def as_argument(self, name: str) -> dict[str, Any]:
        return {
            "existing": False,
            "pool": str(self.pool.uuid),
            "pool_name": self.pool.name,
            "volume": name,
            "size_bytes": self.size_bytes,
            "format": self.format,
            "bus": self.bus,
        }


@dataclass(frozen=True)
class OldDisk:
    """A volume that is there already, and the volumes that it is laid over."""

    volume: Volume
    bus: str
    chain: tuple[Volume, ...]

    @property
    def pool(self) -> Pool:
        return self.volume.pool

    @property
    def pools(self) -> list[Pool]:
        """Its own, and those of all that the guest will read through it."""
        return [self.pool, *(base.pool for base in self.chain)]

    def as_argument(self) -> dict[str, Any]:
        return {
            "existing": True,
            **place_of(self.volume),
            "pool_name": self.pool.name,
            "bus": self.bus,
            "chain": [place_of(base) for base in self.chain],
        }


def place_of(volume: Volume) -> dict[str, str]:
    return {"pool": str(volume.pool.uuid), "volume": volume.name, "format": volume.format}


@dataclass(frozen=True)
class NewCard:
    """A network card."""

    network: Network
    model: str


@dataclass(frozen=True)
class Spec:
    """A new guest. Sizes are bytes; `machine`, `virt_type` and `cpu` empty are the host's choice."""

    host: Host
    name: str
    vcpus: int
    memory_bytes: int
    firmware: str
    machine: str
    virt_type: str
    cpu: str
    video: str
    disks: tuple[NewDisk | OldDisk, ...]
    cdrom: Volume | None
    networks: tuple[NewCard, ...]
    start: bool

    def new_disks(self) -> dict[str, NewDisk]:
        """The disks to be made, by what their volumes will be called, in their order."""
        made = [disk for disk in self.disks if isinstance(disk, NewDisk)]
        return {volume_name(self.name, number, disk.format): disk for number, disk in enumerate(made, start=1)}

    def old_disks(self) -> list[OldDisk]:
        return [disk for disk in self.disks if isinstance(disk, OldDisk)]

    def as_arguments(self) -> dict[str, Any]:
        """The task's arguments: everything the job needs, by the names that the host knows."""
        names = iter(self.new_disks())
        return {
            "name": self.name,
            "vcpus": self.vcpus,
            "memory_bytes": self.memory_bytes,
            "firmware": self.firmware,
            "machine": self.machine,
            "virt_type": self.virt_type,
            "cpu": self.cpu,
            "video": self.video,
            "disks": [
                disk.as_argument(next(names)) if isinstance(disk, NewDisk) else disk.as_argument()
                for disk in self.disks
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
                _("Choose one of: %(words)s.") % {"words": listed(word or "“”" for word in offered)}
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
    cpu = look.choose("cpu", wanted.get("cpu") or "", ("", *CPUS))
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
        cpu=cpu,
        video=video,
        disks=disks,
        cdrom=cdrom,
        networks=networks,
        start=bool(wanted.get("start")),
    )


def find_disks(look: Lookup, wanted: Sequence[WantedDisk]) -> tuple[NewDisk | OldDisk, ...]:
    return tuple(find_disk(look, f"disks.{place}", disk) for place, disk in enumerate(wanted))


def find_disk(look: Lookup, at: str, disk: WantedDisk) -> NewDisk | OldDisk:
    """One disk, `at` its field. Where something is not found, what is answered is not to be used."""
    bus = look.choose(f"{at}.bus", disk.get("bus") or "virtio", BUSES)
    if "volume" in disk:
        volumes = Volume.objects.select_related("pool__host")
        volume = look.find(f"{at}.volume", volumes, disk["volume"], _("There is no such volume."))
        return OldDisk(volume, bus, tuple(chain_of(volume)[0]) if volume else ())
    pools = Pool.objects.select_related("host")
    return NewDisk(
        pool=look.find(f"{at}.pool", pools, disk["pool"], _("There is no such pool.")),
        size_bytes=-(-disk["size_bytes"] // BLOCK) * BLOCK,
        format=look.choose(f"{at}.format", disk.get("format") or "qcow2", FORMATS),
        bus=bus,
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
