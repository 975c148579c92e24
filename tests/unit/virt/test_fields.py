"""Every declared field, read in a golden file: what stands here is what the file says."""

import re
from typing import Any

import pytest

from tests.unit.virt.golden_files import classes, named
from virt.xml.base import Element
from virt.xml.domain import Domain
from virt.xml.own import Own

READ: dict[str, dict[str, Any]] = {
    "domain-everything": {
        "type": "qemu",
        "name": "everything",
        "uuid": "5f0c1f4e-7a1b-4a37-9d5e-0d1a5b6f0001",
        "title": "邮件服务器 & archive",
        "description": "Two lines,\nof which this is the second.",
        "memory_bytes": 4831838208,
        "current_memory_bytes": 2147483648,
        "vcpus": 4,
        "firmware": "efi",
        "arch": "x86_64",
        "machine": "pc-q35-7.2",
        "os_type": "hvm",
        "firmware_features[0].name": "enrolled-keys",
        "firmware_features[0].enabled": True,
        "acpi": True,
        "apic": True,
        "cpu_mode": "custom",
        "cpu_model": "Skylake-Client",
        "clock": "variable",
        "on_poweroff": "destroy",
        "on_reboot": "restart",
        "on_crash": "preserve",
        "emulator": "/usr/bin/qemu-system-x86_64",
        "disks[0].type": "file",
        "disks[0].device": "disk",
        "disks[0].driver": "qemu",
        "disks[0].format": "qcow2",
        "disks[0].discard": "unmap",
        "disks[0].source.file": "/srv/images/root.qcow2",
        "disks[0].target": "vda",
        "disks[0].bus": "virtio",
        "disks[0].boot_order": 1,
        "disks[0].address.type": "pci",
        "disks[4].source.dev": "/dev/disk/by-id/scsi-0",
        "disks[4].shareable": True,
        "disks[5].source.pool": "fast",
        "disks[5].source.volume": "data.raw",
        "disks[6].readonly": True,
        "disks[7].source.dir": "/srv/floppy",
        "controllers[0].type": "usb",
        "controllers[0].model": "qemu-xhci",
        "controllers[0].ports": 15,
        "controllers[6].index": 1,
        "interfaces[0].type": "network",
        "interfaces[0].mac": "52:54:00:6d:90:01",
        "interfaces[0].network": "default",
        "interfaces[0].target": "mail0",
        "interfaces[0].model": "virtio",
        "interfaces[0].boot_order": 2,
        "interfaces[1].bridge": "br0",
        "interfaces[2].source_dev": "eno1",
        "serials[0].type": "pty",
        "consoles[0].type": "pty",
        "consoles[0].target_type": "serial",
        "channels[0].type": "unix",
        "channels[0].target_type": "virtio",
        "channels[0].target_name": "org.qemu.guest_agent.0",
        "inputs[0].type": "tablet",
        "inputs[0].bus": "usb",
        "graphics[0].type": "vnc",
        "graphics[1].autoport": True,
        "graphics[1].listen": "127.0.0.1",
        "graphics[1].listen_address": "127.0.0.1",
        "videos[0].model": "qxl",
        "rngs[0].model": "virtio",
        "rngs[0].backend": "/dev/urandom",
        "rngs[0].backend_model": "random",
        "memballoon.model": "virtio",
        "memballoon.period": 5,
        "own.tags[0].name": "mail",
        "own.brought[0].path": "/srv/images/brought.qcow2",
    },
    "domain-running": {
        "disks[0].backing.format": "qcow2",
        "disks[0].backing.source.file": "/srv/images/middle.qcow2",
        "disks[1].mirror.file": "/srv/images/copy.raw",
        "channels[0].target_state": "disconnected",
        "graphics[0].port": 5900,
    },
    "domain-lxc": {
        "os_type": "exe",
        "init": "/sbin/init",
        "filesystems[0].type": "mount",
        "filesystems[0].source.dir": "/srv/tin",
        "filesystems[0].target": "/",
        "filesystems[1].source.file": "/srv/images/home.raw",
        "filesystems[2].readonly": True,
    },
    "domain-kernel": {
        "kernel": "/boot/vmlinuz",
        "initrd": "/boot/initrd.img",
        "graphics[0].socket": "/run/kernel.vnc",
    },
    "domain-firmware": {
        "loader": "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "loader_type": "pflash",
        "nvram": "/var/lib/libvirt/qemu/nvram/firmware_VARS.fd",
    },
    "network-nat": {
        "name": "nat",
        "uuid": "5f0c1f4e-7a1b-4a37-9d5e-0d1a5b6f2001",
        "forward_mode": "nat",
        "nat_ipv6": True,
        "bridge": "virbr7",
        "domain": "lab.example.org",
        "ips[0].address": "192.168.151.1",
        "ips[0].netmask": "255.255.255.0",
        "ips[0].ranges[0].start": "192.168.151.2",
        "ips[0].ranges[0].end": "192.168.151.99",
        "ips[1].family": "ipv6",
        "ips[1].prefix": 64,
    },
    "interface-bridge": {
        "type": "bridge",
        "name": "br0",
        "mac": "52:54:00:aa:01:01",
        "protocols[0].family": "ipv4",
        "protocols[0].ips[0].address": "192.168.5.1",
        "protocols[1].ips[0].prefix": 64,
    },
    "device-net": {
        "name": "net_eno1_52_54_00_aa_01_02",
        "parent": "virtio1",
        "kind": "net",
        "interface": "eno1",
        "mac": "52:54:00:aa:01:02",
        "link": "up",
    },
    "device-gpu": {
        "kind": "pci",
        "driver": "nvidia",
        "vendor": "NVIDIA Corporation",
        "vendor_id": "0x10de",
        "product": "TU104GL [Tesla T4]",
        "product_id": "0x1eb8",
        "domain": 0,
        "bus": "59",
        "slot": 0,
        "function": 0,
        "iommu_group": 31,
        "mdev_types[1].id": "nvidia-223",
        "mdev_types[1].name": "GRID T4-2B",
        "mdev_types[1].available": 8,
    },
    "device-usb": {
        "kind": "usb_device",
        "bus": "1",
        "number": 4,
    },
    "device-disk": {
        "kind": "storage",
        "block": "/dev/sda",
        "bus": "ata",
        "drive_type": "disk",
        "model": "Samsung_SSD_860",
        "serial": "S3Z9NB0K123456X",
        "size_bytes": 500107862016,
    },
    "device-scsi": {
        "scsi_host": 2,
    },
    "pool-dir": {
        "type": "dir",
        "name": "dir",
        "uuid": "5f0c1f4e-7a1b-4a37-9d5e-0d1a5b6f1001",
        "path": "/srv/images",
        "permissions.mode": "0711",
        "permissions.owner": 0,
        "permissions.group": 64055,
    },
    "volume-odd": {
        "type": "file",
        "name": "odd.qcow2",
        "key": "/srv/images/odd.qcow2",
        "capacity_bytes": 16777216,
        "allocation_bytes": 790528,
        "physical_bytes": 786440,
        "path": "/srv/images/odd.qcow2",
        "format": "qcow2",
        "compat": "1.1",
        "written_at": "1795596642.356528981",
        "backing_path": "/srv/images/base.raw",
        "backing_format": "raw",
    },
    "capabilities": {
        "cpu.features[0].policy": "disable",
    },
    "capabilities-epyc": {
        "host_uuid": "00000000-1111-2222-3333-444444444401",
        "cpu.arch": "x86_64",
        "cpu.model": "EPYC-Rome",
        "cpu.vendor": "AMD",
        "cpu.features[0].name": "ht",
        "guests[0].os_type": "hvm",
        "guests[0].arch.name": "i686",
        "guests[0].arch.emulator": "/usr/bin/qemu-system-i386",
        "guests[0].arch.machines[0].name": "pc-i440fx-7.2",
        "guests[0].arch.machines[0].max_cpus": 255,
        "guests[0].arch.machines[1].canonical": "pc-i440fx-7.2",
        "guests[0].arch.domains[0].type": "qemu",
    },
    "domcapabilities-aarch64": {
        "emulator": "/usr/bin/qemu-system-aarch64",
        "virt_type": "kvm",
        "machine": "virt-7.2",
        "arch": "aarch64",
        "max_vcpus": 512,
        "os.supported": True,
        "os.enums[0].name": "firmware",
        "os.enums[0].values[0].word": "efi",
        "disk.enums[1].values[2].word": "virtio",
        "graphics.enums[0].name": "type",
        "video.supported": True,
        "rng.supported": True,
        "cpu_modes[0].name": "host-passthrough",
        "cpu_modes[0].supported": True,
    },
    "network-routed": {
        "stp": True,
    },
    "pool-active": {
        "capacity_bytes": 270553174016,
        "allocation_bytes": 32505536512,
        "available_bytes": 238047637504,
    },
}
STEP = re.compile(r"(?P<name>\w+)(?:\[(?P<at>\d+)\])?")


def walked(name: str, path: str) -> list[tuple[type[Element], str, Any]]:
    """The class and name of every field on a path, and what it holds."""
    element, found = named(name), []
    for step in path.split("."):
        if step == "own":
            assert isinstance(element, Domain)
            element = Own.of(element)
            continue
        match = STEP.fullmatch(step)
        assert match, step
        value = getattr(element, match["name"])
        found.append((type(element), match["name"], value))
        element = value if match["at"] is None else value[int(match["at"])]
    return found


@pytest.mark.parametrize("name", READ)
def test_a_field_holds_what_the_file_says(name: str) -> None:
    assert {path: walked(name, path)[-1][2] for path in READ[name]} == READ[name]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_no_field_is_untested(kind: type[Element]) -> None:
    """A field that fails here wants a line in READ, and a golden file that has it."""
    tested = {step[:2] for name, paths in READ.items() for path in paths for step in walked(name, path)}
    assert [name for name in kind.field_names() if (kind, name) not in tested] == []
