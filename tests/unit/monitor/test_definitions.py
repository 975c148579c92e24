"""What both definitions of a guest say of its disks and cards."""

from uuid import UUID

import pytest

from hosts.models import Host
from monitor import definitions
from monitor.rows import Changes
from networks.models import Attachment
from storage.models import VolumeUse
from virt.domains import DomainFacts
from virt.states import State

GUEST = UUID(int=1)


def facts(live: str, inactive: str = "", *, name: str = "web-1") -> DomainFacts:
    def whole(devices: str) -> str:
        return f"<domain type='kvm'><name>{name}</name><devices>{devices}</devices></domain>"

    return DomainFacts(
        uuid=GUEST, name=name, title="", state=State.RUNNING, reason="booted", autostart=False, persistent=True,
        has_managed_save=False, vcpus=1, max_memory_bytes=1, virt_type="kvm", machine="q35", arch="x86_64",
        firmware="bios", disks=(), interfaces=(), graphics=(), agent=None, xml_live=whole(live),
        xml_inactive=whole(inactive) if inactive else "",
    )  # fmt: skip


def disk(path: str, target: str = "vda", inside: str = "") -> str:
    return f"<disk type='file'><source file='{path}'/>{inside}<target dev='{target}' bus='virtio'/></disk>"


def card(mac: str, network: str) -> str:
    return f"<interface type='network'><mac address='{mac}'/><source network='{network}'/></interface>"


def test_disks_of_now_and_of_the_next_start_are_both_in_use(host: Host) -> None:
    read = definitions.read(host.pk, [facts(disk("/a"), disk("/b", "vdb"))])
    assert read.uses == {(GUEST, "/a"): ("vda", False), (GUEST, "/b"): ("vdb", False)}
    assert [entry["path"] for entry in read.disks[GUEST]] == ["/b"], "the row has the persistent ones"


def test_what_a_guest_goes_on_with_from_its_saved_memory_is_in_use(host: Host) -> None:
    saved = f"<domain type='kvm'><name>web-1</name><devices>{disk('/cd.iso', 'sda')}</devices></domain>"
    read = definitions.read(host.pk, [facts(disk("/a"))], {GUEST: saved})
    assert read.uses == {(GUEST, "/a"): ("vda", False), (GUEST, "/cd.iso"): ("sda", False)}
    assert [entry["path"] for entry in read.disks[GUEST]] == ["/a"]


def test_images_that_a_disk_is_laid_over_are_read_only_uses(host: Host) -> None:
    below = """
      <backingStore type='file'><format type='qcow2'/><source file='/base'/>
        <backingStore type='file'><format type='raw'/><source file='/root'/><backingStore/></backingStore>
      </backingStore>"""
    read = definitions.read(host.pk, [facts(disk("/top", inside=below))])
    assert read.uses == {
        (GUEST, "/top"): ("vda", False),
        (GUEST, "/base"): ("vda", True),
        (GUEST, "/root"): ("vda", True),
    }


def test_an_image_that_a_disk_is_copied_to_is_in_use(host: Host) -> None:
    mirror = "<mirror type='file' job='copy'><format type='raw'/><source file='/copy'/></mirror>"
    read = definitions.read(host.pk, [facts(disk("/a", inside=mirror))])
    assert read.uses[GUEST, "/copy"] == ("vda", False)


def test_what_a_container_mounts_is_in_use(host: Host) -> None:
    mounted = """
      <filesystem type='file'><driver type='loop'/><source file='/pool/root'/><target dir='/'/></filesystem>
      <filesystem type='mount'><source dir='/srv/shared'/><target dir='/mnt'/><readonly/></filesystem>
      <filesystem type='ram'><source usage='64' units='MiB'/><target dir='/tmp'/></filesystem>"""
    read = definitions.read(host.pk, [facts(mounted)])
    assert read.uses == {(GUEST, "/pool/root"): ("filesystem", False), (GUEST, "/srv/shared"): ("filesystem", True)}
    assert read.disks[GUEST] == []


def test_one_path_spelled_in_two_ways_is_one_use(host: Host) -> None:
    read = definitions.read(host.pk, [facts(disk("/pool//a") + disk("/pool/x/../a", "vdb", "<readonly/>"))])
    assert read.uses == {(GUEST, "/pool/a"): ("vda", False)}


@pytest.mark.parametrize("devices", ["", "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"])
def test_a_guest_without_images_uses_nothing(host: Host, devices: str) -> None:
    assert definitions.read(host.pk, [facts(devices)]).uses == {}


def test_uses_and_attachments_follow_the_definition(host: Host) -> None:
    def sync(*devices: str, name: str = "web-1") -> None:
        read = definitions.read(host.pk, [facts(*devices, name=name)])
        changes = Changes(host.pk)
        definitions.sync_uses(host.pk, read, changes)
        definitions.sync_attachments(host.pk, read, changes)
        changes.commit()

    sync(disk("/a") + card("52:54:00:00:00:01", "lan"))
    kept = VolumeUse.objects.get()
    sync(disk("/a") + disk("/b", "vdb") + card("52:54:00:00:00:01", "dmz"), name="web-2")
    assert set(VolumeUse.objects.values_list("path", "instance_name")) == {("/a", "web-2"), ("/b", "web-2")}
    assert VolumeUse.objects.get(path="/a").pk == kept.pk
    assert list(Attachment.objects.values_list("network_name", "instance_name")) == [("dmz", "web-2")]
    sync("")
    assert not VolumeUse.objects.exists()
    assert not Attachment.objects.exists()
