"""A new guest's definition, from what a person chose and what the host offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal
from uuid import UUID

from virt.xml.capabilities import DomainCapabilities
from virt.xml.domain import (
    Channel,
    Console,
    Controller,
    CpuMode,
    Disk,
    DiskBus,
    DiskDevice,
    Domain,
    FirmwareFeature,
    Graphics,
    Input,
    Interface,
    Memballoon,
    Rng,
    Serial,
    Source,
    Video,
    VirtType,
)

AGENT_CHANNEL = "org.qemu.guest_agent.0"
# A q35 guest needs a port for each device, those that are plugged in while it runs included, and
# libvirt by itself adds only the ones in use at its start.
_ROOT_PORTS = 14
_USB_PORTS = 15
# How often the guest tells how much memory it uses.
_MEMORY_SECONDS = 5
LOOPBACK = "127.0.0.1"
_TARGET_PREFIXES = {DiskBus.VIRTIO: "vd", DiskBus.IDE: "hd"}


@dataclass(frozen=True)
class DiskSpec:
    """A disk of the guest's own: the image's path on the host and its format."""

    path: str
    format: str = "qcow2"
    bus: DiskBus = DiskBus.VIRTIO


@dataclass(frozen=True)
class NicSpec:
    """A network card on a libvirt network; without `mac` libvirt chooses one."""

    network: str
    model: str = "virtio"
    mac: str | None = None


@dataclass(frozen=True)
class GuestSpec:
    """What a person chose. `machine` empty is that of the domain capabilities, `cpu` None the most that
    the virt type gives; `cdrom` is the path of an ISO image on the host, `listen` the address of its display,
    "" for what the host's own configuration says."""

    uuid: UUID
    name: str
    vcpus: int
    memory_bytes: int
    virt_type: VirtType
    arch: str = "x86_64"
    title: str = ""
    firmware: Literal["bios", "uefi"] = "bios"
    machine: str = ""
    cpu: CpuMode | None = None
    disks: tuple[DiskSpec, ...] = ()
    cdrom: str | None = None
    networks: tuple[NicSpec, ...] = ()
    video: str = "vga"
    listen: str = LOOPBACK


def build(spec: GuestSpec, domcaps: DomainCapabilities | None) -> Domain:
    """Return the guest's definition; `domcaps` is the host's for its virt type, None where it has none.

    It starts from its first disk, then the ISO, then the network: an empty disk is passed over, so
    that the installer starts by itself, and what it installed the next time.
    """
    domain = Domain(
        type=spec.virt_type,
        name=spec.name,
        uuid=str(spec.uuid),
        title=spec.title or None,
        memory_bytes=spec.memory_bytes,
        vcpus=spec.vcpus,
        os_type="hvm",
        arch=spec.arch,
        machine=spec.machine or (domcaps.machine if domcaps else None),
        acpi=True,
        apic=spec.arch in ("x86_64", "i686"),
        clock="utc",
        on_poweroff="destroy",
        on_reboot="restart",
        on_crash="destroy",
    )
    if spec.firmware == "uefi":
        _use_uefi(domain)
    _choose_cpu(domain, spec, domcaps)
    if domcaps is not None:
        domain.emulator = domcaps.emulator
    _add_disks(domain, spec)
    _add_controllers(domain, spec)
    for card, order in zip(spec.networks, _boot_orders(spec), strict=False):
        domain.interfaces.append(
            Interface(type="network", network=card.network, model=card.model, mac=card.mac, boot_order=order)
        )
    _add_consoles(domain)
    domain.inputs.append(Input(type="tablet", bus="usb"))
    domain.graphics.append(Graphics(type="vnc", autoport=True, listen=spec.listen or None))
    domain.videos.append(Video(model=spec.video))
    domain.memballoon = Memballoon(model="virtio", period=_MEMORY_SECONDS)
    domain.rngs.append(Rng(model="virtio", backend_model="random", backend="/dev/urandom"))
    return domain


def _use_uefi(domain: Domain) -> None:
    """Let libvirt choose the firmware; without Secure Boot, which unsigned systems would not pass."""
    domain.firmware = "efi"
    domain.firmware_features.append(FirmwareFeature(enabled=False, name="secure-boot"))


def _choose_cpu(domain: Domain, spec: GuestSpec, domcaps: DomainCapabilities | None) -> None:
    if spec.cpu is not None:
        domain.cpu_mode = spec.cpu
        return
    mode = CpuMode.HOST_PASSTHROUGH if spec.virt_type is VirtType.KVM else CpuMode.MAXIMUM
    if domcaps is not None and mode in domcaps.supported_cpu_modes:
        domain.cpu_mode = mode


def _add_disks(domain: Domain, spec: GuestSpec) -> None:
    letters = {"vd": iter(ascii_lowercase), "sd": iter(ascii_lowercase), "hd": iter(ascii_lowercase)}

    def target(bus: DiskBus) -> str:
        prefix = _TARGET_PREFIXES.get(bus, "sd")
        return prefix + next(letters[prefix])

    for number, disk in enumerate(spec.disks):
        domain.disks.append(
            Disk(
                type="file",
                device=DiskDevice.DISK,
                driver="qemu",
                format=disk.format,
                discard="unmap",
                source=Source(file=disk.path),
                target=target(disk.bus),
                bus=disk.bus,
                boot_order=1 if number == 0 else None,
            )
        )
    if spec.cdrom is not None:
        bus = DiskBus.SATA if is_pcie(domain.machine or "") else DiskBus.IDE
        domain.disks.append(
            Disk(
                type="file",
                device=DiskDevice.CDROM,
                driver="qemu",
                format="raw",
                source=Source(file=spec.cdrom),
                target=target(bus),
                bus=bus,
                readonly=True,
                boot_order=2 if spec.disks else 1,
            )
        )


def _boot_orders(spec: GuestSpec) -> Iterator[int]:
    first = 1 + bool(spec.disks) + (spec.cdrom is not None)
    return iter(range(first, first + len(spec.networks)))


def is_pcie(machine: str) -> bool:
    """Say whether a machine type has PCI Express slots and SATA, as q35 has."""
    return "q35" in machine or machine.startswith("virt")


def _add_controllers(domain: Domain, spec: GuestSpec) -> None:
    domain.controllers.append(Controller(type="usb", model="qemu-xhci", ports=_USB_PORTS))
    if any(disk.bus is DiskBus.SCSI for disk in spec.disks):
        domain.controllers.append(Controller(type="scsi", model="virtio-scsi"))
    if is_pcie(domain.machine or ""):
        domain.controllers.append(Controller(type="pci", index=0, model="pcie-root"))
        for _ in range(_ROOT_PORTS):
            domain.controllers.append(Controller(type="pci", model="pcie-root-port"))


def _add_consoles(domain: Domain) -> None:
    domain.serials.append(Serial(type="pty"))
    domain.consoles.append(Console(type="pty", target_type="serial"))
    domain.channels.append(Channel(type="unix", target_type="virtio", target_name=AGENT_CHANNEL))
