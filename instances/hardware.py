"""A guest's devices as its definition has them, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from hosts.drivers import runs_qemu
from instances.models import Instance
from networks.models import Network
from storage.models import Volume
from virt.errors import InvalidDefinition
from virt.xml.domain import CpuMode, Disk, DiskDevice, Domain, VirtType
from webvirt.units import size

LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Device:
    """A row of the hardware. `drive` is the target of a CD drive, whose medium can be changed."""

    icon: str
    name: str
    value: str
    note: str = ""
    url: str = ""
    drive: str = ""
    medium: str = ""


class Hardware:
    """Reads a guest's definition, and the rows of the volumes and networks that it names."""

    def __init__(self, instance: Instance, user: Any) -> None:
        self.instance = instance
        self.user = user

    @cached_property
    def domain(self) -> Domain | None:
        try:
            return Domain.parse(self.instance.inactive_xml or self.instance.xml)
        except InvalidDefinition:
            return None

    @cached_property
    def volumes(self) -> dict[str, Volume]:
        """Volumes that the viewer may see, by the path of a disk."""
        paths = [disk["path"] for disk in self.instance.disks if disk["path"]]
        rows = Volume.objects.visible_to(self.user).filter(pool__host_id=self.instance.host_id, path__in=paths)
        return {volume.path: volume for volume in rows.select_related("pool")}

    @cached_property
    def networks(self) -> dict[str, int]:
        names = [card["network"] for card in self.instance.interfaces if card["network"]]
        rows = Network.objects.visible_to(self.user).filter(host_id=self.instance.host_id, name__in=names)
        return dict(rows.values_list("name", "pk"))

    def devices(self) -> list[Device]:
        if self.domain is None:
            return []
        return [
            self.processors(self.domain),
            Device("container", _("Memory"), size(self.instance.memory_bytes, exact=True)),
            *self.disks(self.domain),
            *self.filesystems(self.domain),
            *self.cards(),
            *self.displays(self.domain),
            *self.agent(),
            *([self.firmware(self.domain), self.machine(self.domain)] if self.by_qemu else []),
        ]

    @property
    def by_qemu(self) -> bool:
        """Whether what its definition leaves open is QEMU's to choose; of other drivers it is not told."""
        return runs_qemu(self.instance.host)

    def processors(self, domain: Domain) -> Device:
        mode = domain.cpu_mode
        words = {
            CpuMode.HOST_PASSTHROUGH: _("the host's own model"),
            CpuMode.HOST_MODEL: _("much like the host's model"),
            CpuMode.MAXIMUM: _("all that QEMU can emulate"),
        }
        own = _("QEMU's own model") if self.by_qemu else ""
        note = domain.cpu_model or (words.get(mode, "") if mode else own)
        return Device("cpu", _("Processors"), _("%(n)d vCPU") % {"n": self.instance.vcpus}, note)

    def disks(self, domain: Domain) -> Iterator[Device]:
        paths = {disk["target"]: disk["path"] for disk in self.instance.disks}
        for disk in domain.disks:
            path = paths.get(disk.target or "", "")
            if disk.device in (DiskDevice.CDROM, DiskDevice.FLOPPY):
                yield self.drive(disk, path)
            else:
                yield self.disk(disk, path)

    def filesystems(self, domain: Domain) -> Iterator[Device]:
        """What it mounts of its host, as containers do; the program that it runs."""
        for one in domain.filesystems:
            path = (one.source.path or one.source.volume) if one.source else None
            yield Device(
                "database",
                _("File system %(target)s") % {"target": one.target or ""},
                path or (_("In memory") if one.type == "ram" else _("Elsewhere")),
                _("read-only") if one.readonly else "",
            )
        if domain.init:
            yield Device("terminal-2", _("Program"), domain.init)

    def disk(self, disk: Disk, path: str) -> Device:
        volume = self.volumes.get(path)
        notes = [disk.bus or "", disk.format or ""]
        if volume:
            notes[1] = _("%(format)s, takes %(size)s") % {
                "format": volume.format,
                "size": size(volume.allocation_bytes),
            }
            notes.append(_("pool %(pool)s") % {"pool": volume.pool.name})
        return Device(
            "device-floppy",
            _("Disk %(target)s") % {"target": disk.target},
            f"{volume.name}, {size(volume.capacity_bytes, exact=True)}" if volume else path or _("Elsewhere"),
            " · ".join(note for note in notes if note),
            url=reverse("storage:detail", args=[volume.pool_id]) if volume else "",
        )

    def drive(self, disk: Disk, path: str) -> Device:
        name = _("CD-ROM %(target)s") if disk.device is DiskDevice.CDROM else _("Floppy %(target)s")
        volume = self.volumes.get(path)
        value = f"{volume.name}, {size(volume.capacity_bytes)}" if volume else path or _("Empty")
        return Device(
            "disc",
            name % {"target": disk.target},
            value,
            disk.bus or "",
            drive=(disk.target or "") if disk.device is DiskDevice.CDROM else "",
            medium=path,
        )

    def cards(self) -> Iterator[Device]:
        for number, card in enumerate(self.instance.interfaces):
            network = card["network"]
            own = [known["address"] for known in self.instance.addresses if known["mac"] == card["mac"].lower()]
            place = network or card["bridge"] or _("Elsewhere")
            yield Device(
                "plug-connected",
                _("Network card net%(n)d") % {"n": number},
                ", ".join([place, *own]),
                " · ".join(part for part in (card["model"], card["mac"]) if part),
                url=reverse("networks:detail", args=[self.networks[network]]) if network in self.networks else "",
            )

    def displays(self, domain: Domain) -> Iterator[Device]:
        video = next((card.model for card in domain.videos if card.model), "")
        for display in domain.graphics:
            listen = display.listen_address or display.listen or ""
            kind = (display.type or "").upper()
            if listen in LOCAL or display.socket:
                where = _("%(kind)s, through Webvirt only") % {"kind": kind}
            elif listen:
                where = _("%(kind)s, open on %(address)s") % {"kind": kind, "address": listen}
            else:
                where = _("%(kind)s, open where the host's libvirt has it listen") % {"kind": kind}
            yield Device(
                "device-desktop", _("Display"), where, _("%(model)s video") % {"model": video} if video else ""
            )

    def agent(self) -> Iterator[Device]:
        if self.instance.agent is not None:
            words = _("Connected") if self.instance.agent else _("Not connected")
            yield Device("plug", _("Guest agent"), words)

    def firmware(self, domain: Domain) -> Device:
        uefi = domain.firmware == "efi" or domain.loader_type == "pflash"
        return Device("shield-lock", _("Firmware"), "UEFI" if uefi else "BIOS")

    def machine(self, domain: Domain) -> Device:
        emulated = domain.type is not VirtType.KVM
        return Device(
            "bolt",
            _("Machine"),
            domain.machine or _("As the host has it"),
            _("processor emulated by QEMU, which is slow") if emulated else _("accelerated by KVM"),
        )
