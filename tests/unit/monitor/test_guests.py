"""Guests' rows follow what happens on the host."""

from concurrent.futures import Future
from uuid import UUID

import pytest

from hosts.models import Host
from instances.models import Instance
from monitor import guests, pools
from monitor.link import Link
from networks.models import Attachment, Network
from storage.models import Pool, Volume, VolumeUse
from tests.unit.monitor.conftest import Told
from virt import domains, metadata, storage
from virt.xml.domain import Domain
from virt.xml.storage import Volume as VolumeXml

FIRST = UUID("6695eb01-f6a4-8304-79aa-97f2502e193f")
SECOND = UUID("0b35bb33-83a7-4a3d-8b3b-1f6a0f0a3c01")
SECOND_XML = f"""
<domain type="test">
  <name>second</name>
  <uuid>{SECOND}</uuid>
  <memory unit="MiB">256</memory>
  <vcpu>1</vcpu>
  <os><type arch="i686">hvm</type></os>
</domain>
"""


def first() -> Instance:
    return Instance.objects.get(uuid=FIRST)


def test_the_listing_alone_brings_state_and_flags(link: Link, host: Host) -> None:
    guests.sync_list(link, host.pk)
    row = first()
    assert (row.name, row.state, row.persistent, row.autostart) == ("first", "running", True, False)
    assert row.xml == ""
    assert row.state_since is None, "nobody saw it begin"


def test_a_definition_fills_the_row(link: Link, host: Host) -> None:
    guests.sync_some(link, host.pk, [FIRST])
    row = first()
    assert (row.title, row.vcpus, row.memory_bytes) == ("The first", 2, 512 * 1024**2)
    assert row.disks[0] == {
        "device": "disk",
        "target": "vda",
        "bus": "virtio",
        "format": "qcow2",
        "path": "/pool/first.qcow2",
        "readonly": False,
        "shareable": False,
    }
    assert row.interfaces == [{"network": "lan", "bridge": "", "mac": "52:54:00:11:22:33", "model": "virtio"}]
    assert row.graphics[0]["type"] == "vnc"
    assert "<name>first</name>" in row.xml
    assert "<name>first</name>" in row.inactive_xml


def test_what_is_said_about_a_guest_is_read_from_its_definition(link: Link, host: Host) -> None:
    link.call(metadata.describe, FIRST, title="The shop", description="Mind it", tags=["prod", "生产"])
    guests.sync_some(link, host.pk, [FIRST])
    assert (first().title, first().notes, first().tags) == ("The shop", "Mind it", ["prod", "生产"])
    # As `virsh desc` does with a guest that runs.
    link.call(lambda conn: conn.domain(FIRST).setMetadata(1, "The market", None, None, 1))
    guests.sync_some(link, host.pk, [FIRST])
    assert first().title == "The market"


def test_it_follows_a_guest_through_its_life(link: Link, host: Host, told: Told) -> None:
    link.call(domains.define, Domain.parse(SECOND_XML))
    guests.sync_some(link, host.pk, [SECOND])
    row = Instance.objects.get(uuid=SECOND)
    assert row.state == "shutoff"
    assert row.state_since is not None
    link.call(domains.start, SECOND)
    guests.sync_some(link, host.pk, [SECOND])
    before = row.state_since
    row.refresh_from_db()
    assert row.state == "running"
    assert row.state_since > before
    link.call(domains.destroy, SECOND)
    link.call(domains.undefine, SECOND)
    guests.sync_some(link, host.pk, [SECOND])
    assert not Instance.objects.filter(uuid=SECOND).exists()
    assert told == [("instance", row.pk, "added"), ("instance", row.pk, "changed"), ("instance", row.pk, "removed")]


def test_a_state_that_stays_keeps_its_beginning(link: Link, host: Host) -> None:
    guests.sync_some(link, host.pk, [FIRST])
    since = first().state_since
    link.call(domains.set_autostart, FIRST, True)
    guests.sync_some(link, host.pk, [FIRST])
    assert first().autostart
    assert first().state_since == since


def test_it_writes_and_tells_nothing_where_nothing_changed(link: Link, host: Host, told: Told) -> None:
    guests.sync_some(link, host.pk, [FIRST])
    told.clear()
    before = first().__dict__ | {"_state": None}
    guests.sync_list(link, host.pk)
    guests.sync_some(link, host.pk, [FIRST])
    assert told == []
    assert first().__dict__ | {"_state": None} == before


def test_a_guest_gone_between_list_and_look_leaves_nothing_behind(link: Link, host: Host, told: Told) -> None:
    guests.sync_some(link, host.pk, [FIRST])
    assert VolumeUse.objects.filter(instance_uuid=FIRST).exists()
    assert Attachment.objects.filter(instance_uuid=FIRST).exists()
    pk = first().pk
    link.call(domains.destroy, FIRST)
    link.call(domains.undefine, FIRST)
    guests.sync_some(link, host.pk, [FIRST])
    assert not Instance.objects.exists()
    assert not VolumeUse.objects.exists()
    assert not Attachment.objects.exists()
    assert ("instance", pk, "removed") in told


def test_the_listing_removes_what_vanished_unheard(link: Link, host: Host) -> None:
    guests.sync_some(link, host.pk, [FIRST])
    link.call(domains.destroy, FIRST)
    link.call(domains.undefine, FIRST)
    guests.sync_list(link, host.pk)
    assert not Instance.objects.exists()
    assert not VolumeUse.objects.exists()


def test_rows_of_other_hosts_are_left_alone(link: Link, host: Host) -> None:
    other = Host.objects.create(name="kvm-02", uri="qemu:///system")
    theirs = Instance.objects.create(host=other, uuid=SECOND, name="theirs")
    guests.sync_list(link, host.pk)
    guests.sync_some(link, host.pk, [SECOND])
    assert Instance.objects.get(host=other) == theirs


def test_a_listing_names_what_is_to_be_read_again(link: Link, host: Host) -> None:
    guests.sync_list(link, host.pk)
    assert guests.differing(host.pk, link.call(domains.list_all)) == []
    link.call(domains.suspend, FIRST)
    link.call(domains.define, Domain.parse(SECOND_XML))
    gone = Instance.objects.create(host=host, uuid=UUID(int=7), name="gone")
    found = guests.differing(host.pk, link.call(domains.list_all))
    assert set(found) == {FIRST, SECOND, gone.uuid}
    assert first().state == "running", "a listing that may be old writes nothing"


def test_pages_of_volumes_and_networks_hear_of_a_new_user(link: Link, host: Host, told: Told) -> None:
    pool = Pool.objects.create(host=host, uuid=UUID(int=1), name="files", type="dir", state="active")
    volume = Volume.objects.create(pool=pool, name="first.qcow2", path="/pool/first.qcow2")
    network = Network.objects.create(host=host, uuid=UUID(int=2), name="lan")
    guests.sync_some(link, host.pk, [FIRST])
    assert ("volume", volume.pk, "changed") in told
    assert ("network", network.pk, "changed") in told


@pytest.mark.parametrize("known", [True, False])
def test_a_disk_named_by_pool_and_volume_is_found_once_the_pool_is_read(link: Link, host: Host, known: bool) -> None:
    pool = Pool.objects.create(host=host, uuid=UUID(int=1), name="pool", type="dir", state="active")
    if known:
        Volume.objects.create(pool=pool, name="cd.iso", path="/pool/cd.iso", format="iso")
    guests.sync_some(link, host.pk, [FIRST])
    assert first().disks[1]["path"] == ("/pool/cd.iso" if known else "")
    assert VolumeUse.objects.filter(path="/pool/cd.iso", readonly=True).exists() == known


def test_a_pool_with_new_volumes_has_its_guests_read_again(link: Link, host: Host) -> None:
    guests.sync_some(link, host.pk, [FIRST])
    [pool] = link.call(storage.list_pools)
    volume = "<volume><name>cd.iso</name><capacity>1048576</capacity><target><format type='raw'/></target></volume>"
    link.call(storage.create_volume, pool.uuid, VolumeXml.parse(volume))
    answer: Future[pools.PoolRead] = Future()
    answer.set_result(link.call(pools.read, pool.uuid))
    assert pools.take_in(host.pk, pool.uuid, answer) == [FIRST]
    guests.sync_some(link, host.pk, [FIRST])
    assert first().disks[1]["path"] == "/pool/cd.iso"
