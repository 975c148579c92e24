"""Hosts of libvirt's test driver: a file says what is on one, and each connection has a host of its own."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from lxml import etree


def write_node(file: Path, guests: Mapping[uuid.UUID, str]) -> None:
    """Write a host with these guests (their names), all running, each with a disk, a card and a display."""
    node = etree.Element("node")
    for number, (id, name) in enumerate(guests.items()):
        node.append(_guest(id, name, number))
    pool = _below(node, "pool", type="dir")
    _below(pool, "name", "pool")
    _below(_below(pool, "target"), "path", "/pool")
    network = _below(node, "network")
    _below(network, "name", "lan")
    _below(network, "bridge", name="virbr7")
    _below(network, "ip", address="192.168.7.1", netmask="255.255.255.0")
    file.write_bytes(etree.tostring(node))


def _guest(id: uuid.UUID, name: str, number: int) -> etree._Element:
    domain = etree.Element("domain", type="test")
    _below(domain, "name", name)
    _below(domain, "uuid", str(id))
    _below(domain, "memory", "512", unit="MiB")
    _below(domain, "vcpu", "2")
    _below(_below(domain, "os"), "type", "hvm", arch="i686")
    devices = _below(domain, "devices")
    disk = _below(devices, "disk", type="file", device="disk")
    _below(disk, "driver", name="qemu", type="qcow2")
    _below(disk, "source", file=f"/pool/{name}.qcow2")
    _below(disk, "target", dev="vda", bus="virtio")
    card = _below(devices, "interface", type="network")
    _below(card, "mac", address=f"52:54:00:00:{number // 256:02x}:{number % 256:02x}")
    _below(card, "source", network="lan")
    _below(devices, "graphics", type="vnc", autoport="yes", listen="127.0.0.1")
    return domain


def _below(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    made = etree.SubElement(parent, tag, attributes)
    made.text = text
    return made
