"""Pools, volumes and networks as rows."""

from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from hosts.models import Host
from monitor import nets, pools
from monitor.link import Link
from networks.models import Interface, Network
from storage.models import Pool, Volume
from tasks.models import Task
from tests.unit.monitor.conftest import Told
from virt import storage
from virt.errors import VirtError
from virt.interfaces import InterfaceFacts, list_interfaces
from virt.networks import IpFacts, LeaseFacts
from virt.xml.storage import Volume as VolumeXml


def sync(link: Link, host: Host, uuid: UUID) -> None:
    answer: Future[pools.PoolRead] = Future()
    try:
        answer.set_result(link.call(pools.read, uuid))
    except VirtError as error:
        answer.set_exception(error)
    pools.take_in(host.pk, uuid, answer)


def make_volume(link: Link, pool: UUID, name: str) -> None:
    link.call(
        storage.create_volume,
        pool,
        VolumeXml.parse(f"<volume><name>{name}</name><capacity>1048576</capacity></volume>"),
    )


def test_a_pool_is_read_with_its_volumes(link: Link, host: Host, told: Told) -> None:
    [uuid] = pools.listed(link, host.pk)
    make_volume(link, uuid, "a.img")
    sync(link, host, uuid)
    pool = Pool.objects.get()
    assert (pool.name, pool.type, pool.state, pool.path) == ("pool", "dir", "active", "/pool")
    assert pool.capacity_bytes > pool.available_bytes > 0
    volume = Volume.objects.get()
    assert (volume.name, volume.path, volume.capacity_bytes) == ("a.img", "/pool/a.img", 1048576)
    assert told == [("pool", pool.pk, "added"), ("volume", volume.pk, "added")]


def test_a_volume_made_or_deleted_outside_is_seen(link: Link, host: Host, told: Told) -> None:
    [uuid] = pools.listed(link, host.pk)
    make_volume(link, uuid, "a.img")
    sync(link, host, uuid)
    pk = Volume.objects.get().pk
    told.clear()
    link.call(storage.delete_volume, uuid, "a.img")
    make_volume(link, uuid, "b.img")
    sync(link, host, uuid)
    assert [volume.name for volume in Volume.objects.all()] == ["b.img"]
    assert ("volume", pk, "removed") in told


def test_a_pool_that_is_gone_goes_with_its_volumes(link: Link, host: Host, told: Told) -> None:
    gone = Pool.objects.create(host=host, uuid=uuid4(), name="gone", type="dir", state="active")
    volume = Volume.objects.create(pool=gone, name="a", path="/a")
    pk = gone.pk
    sync(link, host, gone.uuid)
    assert not Pool.objects.exists()
    assert set(told) == {("pool", pk, "removed"), ("volume", volume.pk, "removed")}


def test_the_list_of_pools_removes_those_that_are_gone(link: Link, host: Host) -> None:
    Pool.objects.create(host=host, uuid=uuid4(), name="gone", type="dir", state="active")
    pools.listed(link, host.pk)
    assert not Pool.objects.exists()


@pytest.mark.parametrize(
    ("kind", "state", "may"),
    [
        ("storage.upload", Task.State.RUNNING, False),
        ("instances.create", Task.State.RUNNING, False),
        ("storage.upload", Task.State.SUCCEEDED, True),
        ("instances.shutdown", Task.State.RUNNING, True),
    ],
)
def test_no_pool_is_refreshed_while_a_job_of_ours_writes(host: Host, kind: str, state: str, may: bool) -> None:
    Task.objects.create(
        kind=kind, state=state, queue="long", limit=1, actor_name="alice", host_id=host.pk, object_name="x"
    )
    assert pools.may_refresh(host.pk) == may


def test_a_network_is_read(link: Link, host: Host, told: Told) -> None:
    [uuid] = nets.listed(link, host.pk)
    nets.sync_network(link, host.pk, uuid)
    network = Network.objects.get()
    assert (network.name, network.active, network.bridge, network.forward) == ("lan", True, "virbr7", "nat")
    assert network.addresses == ["192.168.7.1/24"]
    assert network.dhcp_ranges == [["192.168.7.2", "192.168.7.254"]]
    nets.sync_network(link, host.pk, uuid)
    assert told == [("network", network.pk, "added")]


def test_a_network_that_is_gone_is_removed(link: Link, host: Host) -> None:
    Network.objects.create(host=host, uuid=uuid4(), name="unlisted")
    gone = Network.objects.create(host=host, uuid=uuid4(), name="gone")
    nets.sync_network(link, host.pk, gone.uuid)
    assert [network.name for network in Network.objects.all()] == ["unlisted"]
    nets.listed(link, host.pk)
    assert not Network.objects.exists()


@pytest.mark.parametrize(
    ("address", "prefix", "netmask", "written"),
    [
        ("10.0.0.1", None, "", "10.0.0.1/8"),
        ("172.16.0.1", None, "", "172.16.0.1/16"),
        ("192.168.1.1", None, "255.255.255.128", "192.168.1.1/25"),
        ("192.168.1.1", 26, "", "192.168.1.1/26"),
        ("fd00::1", None, "", "fd00::1/64"),
        ("fd00::1", 48, "", "fd00::1/48"),
    ],
)
def test_an_address_is_written_with_its_prefix(address: str, prefix: int | None, netmask: str, written: str) -> None:
    assert IpFacts("", address, prefix, netmask, ()).cidr == written


def test_leases_are_kept_true_and_told_of_when_they_change(link: Link, host: Host, told: Told) -> None:
    [uuid] = nets.listed(link, host.pk)
    nets.sync_network(link, host.pk, uuid)
    network = Network.objects.get()
    told.clear()
    given = LeaseFacts("52:54:00:00:00:01", "192.168.7.20", "web", datetime(2026, 1, 1, tzinfo=UTC))
    nets.take_in_leases(host.pk, {uuid: [given]})
    assert [(lease.mac, lease.address, lease.hostname) for lease in network.leases.all()] == [
        ("52:54:00:00:00:01", "192.168.7.20", "web")
    ]
    assert told == [("network", network.pk, "changed")]
    nets.take_in_leases(host.pk, {uuid: [given]})
    assert len(told) == 1
    nets.take_in_leases(host.pk, {uuid: [replace(given, expires=None)]})
    assert network.leases.get().expires is None
    # A network that stopped has none.
    nets.take_in_leases(host.pk, {})
    assert not network.leases.exists()
    assert len(told) == 3


def test_a_card_may_call_itself_what_it_likes(link: Link, host: Host) -> None:
    [uuid] = nets.listed(link, host.pk)
    nets.sync_network(link, host.pk, uuid)
    nets.take_in_leases(host.pk, {uuid: [LeaseFacts("x" * 99, "192.168.7.20", "y" * 999, datetime.now(UTC))]})
    lease = Network.objects.get().leases.get()
    lease.full_clean()
    assert (len(lease.mac), len(lease.hostname)) == (64, 255)


def test_interfaces_are_kept_true(link: Link, host: Host) -> None:
    Interface.objects.create(host=host, name="gone0")
    read = [*link.call(list_interfaces), InterfaceFacts("br0", "bridge", "", True, (("10.0.0.1", 24),))]
    nets.take_in_interfaces(host.pk, read)
    known = {row.name: row for row in Interface.objects.all()}
    assert "gone0" not in known
    assert (known["br0"].type, known["br0"].addresses) == ("bridge", ["10.0.0.1/24"])
