"""What is built into a host, or plugged into it, that guests could be given."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libvirt

from virt.connection import Connection
from virt.translate import translated_errors
from virt.xml.device import NodeDevice

_LISTED = ("PCI_DEV", "USB_DEV", "NET", "STORAGE", "SCSI_HOST")
# Ours, by libvirt's word for the capability.
_WORDS = {"pci": "pci", "usb_device": "usb", "net": "net", "storage": "disk", "scsi_host": "scsi"}
_ROOT = "computer"


@dataclass(frozen=True)
class DeviceFacts:
    """A device; `kind` is pci, usb, net, disk, scsi or mdev (one way to divide a PCI device).

    `name` is libvirt's, of a way to divide `DEVICE TYPE`. `title` says what it is, in its maker's words or numbers;
    `address` where it is: a place on a bus, a MAC address, a path. What its kind has not is None: `size_bytes`,
    whether its `link` is up, its IOMMU group, how many more of it are `available`.
    """

    name: str
    kind: str
    title: str
    address: str
    driver: str = ""
    size_bytes: int | None = None
    link: bool | None = None
    iommu_group: int | None = None
    available: int | None = None


@translated_errors()
def list_devices(conn: Connection) -> list[DeviceFacts]:
    """Return the host's devices, without those that are only programs on it, as bridges and the cards of guests.

    Raises Unsupported where the driver tells of none. (virConnectListAllNodeDevices)
    """
    wanted = 0
    for word in _LISTED:
        wanted |= getattr(libvirt, f"VIR_CONNECT_LIST_NODE_DEVICES_CAP_{word}")
    found: list[DeviceFacts] = []
    for handle in conn.handle.listAllDevices(wanted):
        try:
            device = NodeDevice.parse(handle.XMLDesc(0))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_NODE_DEVICE:
                continue  # gone since it was listed
            raise
        found.extend(facts_of(device))
    return found


def facts_of(device: NodeDevice) -> Iterator[DeviceFacts]:
    """Tell of a device and of the ways to divide it; of none where it is of no kind that is listed."""
    kind = _WORDS.get(device.kind or "")
    if kind is None or (kind == "net" and device.parent == _ROOT):
        return
    name = device.name or ""
    facts = DeviceFacts(name=name, kind=kind, title=_title(device), address="", driver=device.driver or "")
    match kind:
        case "pci":
            yield replace(facts, address=_pci_address(device), iommu_group=device.iommu_group)
        case "usb":
            yield replace(facts, address=f"{int(device.bus or 0):03d}/{device.number or 0:03d}")
        case "net":
            yield replace(facts, title=device.interface or "", address=device.mac or "", link=device.link == "up")
        case "disk":
            yield replace(facts, address=device.block or "", size_bytes=device.size_bytes)
        case "scsi":
            yield replace(facts, title=name, address="" if device.scsi_host is None else f"host{device.scsi_host}")
    for way in device.mdev_types:
        yield DeviceFacts(
            name=f"{name} {way.id}",
            kind="mdev",
            title=way.name or way.id or "",
            address=_pci_address(device),
            available=way.available,
        )


def _title(device: NodeDevice) -> str:
    """What the maker calls it; its numbers where the host does not know its maker's words."""
    words = ((word or "").strip() for word in (device.vendor, device.product or device.model))
    said = " ".join(word for word in words if word and not word.startswith("0x"))
    if device.product or device.model or not device.product_id:
        return said
    return " ".join(word for word in (said, f"{_hex(device.vendor_id)}:{_hex(device.product_id)}") if word)


def _hex(number: str | None) -> str:
    return (number or "").removeprefix("0x")


def _pci_address(device: NodeDevice) -> str:
    """As lspci writes it."""
    bus = int(device.bus or 0)
    return f"{device.domain or 0:04x}:{bus:02x}:{device.slot or 0:02x}.{device.function or 0:x}"
