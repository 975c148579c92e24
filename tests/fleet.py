"""Hosts of libvirt's test driver: a file says what is on one, and each connection has a host of its own."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

TEST = "http://libvirt.org/schemas/domain/test/1.0"
SHUT_OFF = "5"  # VIR_DOMAIN_SHUTOFF


def write_node(file: Path, guests: Mapping[uuid.UUID, str], *, running: bool = True) -> None:
    """Write a host with a pool, a network, and these guests (their names), as people make them."""
    node = etree.Element("node")
    for number, (id, name) in enumerate(guests.items()):
        domain = _guest(id, name, number)
        if not running:
            _below(domain, f"{{{TEST}}}runstate", SHUT_OFF)
        node.append(domain)
    pool = _below(node, "pool", type="dir")
    _below(pool, "name", "pool")
    _below(_below(pool, "target"), "path", "/pool")
    network = _below(node, "network")
    _below(network, "name", "lan")
    _below(network, "ip", address="192.168.7.1", netmask="255.255.255.0")
    file.write_bytes(etree.tostring(node))


def _guest(id: uuid.UUID, name: str, number: int) -> etree._Element:
    """A guest with a disk, a drive, a card and a screen."""
    domain = etree.Element("domain", type="test", nsmap={"test": TEST})
    _below(domain, "name", name)
    _below(domain, "uuid", str(id))
    _below(domain, "memory", "2", unit="GiB")
    _below(domain, "vcpu", "2")
    _below(_below(domain, "os"), "type", "hvm", arch="i686")
    devices = _below(domain, "devices")
    disk = _below(devices, "disk", type="file", device="disk")
    _below(disk, "driver", name="qemu", type="qcow2")
    _below(disk, "source", file=f"/pool/{name}.qcow2")
    _below(disk, "target", dev="vda", bus="virtio")
    drive = _below(devices, "disk", type="file", device="cdrom")
    _below(drive, "target", dev="sda", bus="sata")
    card = _below(devices, "interface", type="network")
    _below(card, "mac", address=f"52:54:00:00:{number // 256:02x}:{number % 256:02x}")
    _below(card, "source", network="lan")
    _below(card, "model", type="virtio")
    _below(devices, "graphics", type="vnc", autoport="yes", listen="127.0.0.1")
    return domain


def _below(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    made = etree.SubElement(parent, tag, attributes)
    made.text = text
    return made
