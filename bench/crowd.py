"""Hosts with any number of guests that are off: libvirt's own test driver, read by the real monitor."""

import secrets
import uuid
from pathlib import Path

from lxml import etree

from bench.wire import Wire
from tests.stack import Stack
from tests.waiting import wait_for

TEST = "http://libvirt.org/schemas/domain/test/1.0"
SHUT_OFF = "5"  # VIR_DOMAIN_SHUTOFF
PASSWORD = secrets.token_urlsafe(16)
VIEWER = """
from accounts.models import Grant, Role, User
from hosts.models import Host
user = User.objects.create_user("{name}", password="{password}")
Grant.objects.create(user=user, role=Role.OPERATOR, scope=Grant.Scope.HOST, host_id=Host.objects.get(name="{name}").pk)
"""
COUNT = """
from instances.models import Instance
print(Instance.objects.filter(host__name="{name}").exclude(disks=[]).count())
"""


def guest(number: int) -> etree._Element:
    """A guest as people make them: a disk, a drive, a card, a screen."""
    domain = etree.Element("domain", type="test", nsmap={"test": TEST})
    for tag, text in (
        ("name", f"guest-{number:04}"),
        ("uuid", str(uuid.uuid4())),
        ("memory", str(2 << 20)),
        ("vcpu", "2"),
    ):
        etree.SubElement(domain, tag).text = text
    etree.SubElement(etree.SubElement(domain, "os"), "type", arch="i686").text = "hvm"
    devices = etree.SubElement(domain, "devices")
    disk = etree.SubElement(devices, "disk", type="file", device="disk")
    etree.SubElement(disk, "driver", name="qemu", type="qcow2")
    etree.SubElement(disk, "source", file=f"/pool/guest-{number:04}.qcow2")
    etree.SubElement(disk, "target", dev="vda", bus="virtio")
    drive = etree.SubElement(devices, "disk", type="file", device="cdrom")
    etree.SubElement(drive, "target", dev="sda", bus="sata")
    card = etree.SubElement(devices, "interface", type="network")
    etree.SubElement(card, "source", network="lan")
    etree.SubElement(card, "model", type="virtio")
    etree.SubElement(devices, "graphics", type="vnc", autoport="yes", listen="127.0.0.1")
    etree.SubElement(domain, f"{{{TEST}}}runstate").text = SHUT_OFF
    return domain


def node_of(folder: Path, name: str, count: int) -> Path:
    """Write the test driver's description of a host with `count` guests; its path."""
    node = etree.Element("node")
    node.extend(guest(number) for number in range(count))
    network = etree.SubElement(node, "network")
    etree.SubElement(network, "name").text = "lan"
    etree.SubElement(network, "ip", address="192.168.7.1", netmask="255.255.255.0")
    path = folder / f"{name}.xml"
    path.write_bytes(etree.tostring(node))
    return path


def add(stack: Stack, name: str, count: int) -> Wire:
    """Add a host called `name` with `count` guests; wait until they are read; sign in who operates that host alone."""
    path = node_of(stack.data, name, count)
    added = stack.manage("host", "add", name, f"test://{path}")
    assert added.returncode == 0, added.stderr
    wait_for(lambda: shell(stack, COUNT.format(name=name)) == str(count), 120)
    shell(stack, VIEWER.format(name=name, password=PASSWORD))
    return Wire.signed_in(stack.port, name, PASSWORD)


def shell(stack: Stack, code: str) -> str:
    """Run Python in the house's own Django; what it prints."""
    done = stack.manage("shell", "-v0", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
