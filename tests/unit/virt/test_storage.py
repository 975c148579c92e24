"""Pools, volumes and networks on libvirt's test driver."""

from uuid import UUID, uuid4

import pytest

from virt import domains, networks, storage, usage
from virt.connection import Connection
from virt.errors import AlreadyExists, NotFound, VirtError
from virt.xml.domain import Domain, Filesystem, Source
from virt.xml.network import DhcpRange, Ip, Network
from virt.xml.storage import Pool, Volume

FIRST = UUID("6695eb01-f6a4-8304-79aa-97f2502e193f")
POOL = UUID("dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566")
LAN = UUID("dd8fe884-6c02-601e-7551-cca97df1c5df")
MIB = 1024 * 1024


def test_pools_are_listed_and_described(conn: Connection) -> None:
    (pool,) = storage.list_pools(conn)
    assert (pool.uuid, pool.name, pool.active, pool.persistent, pool.autostart) == (POOL, "pool", True, True, False)
    facts = storage.describe_pool(conn, POOL)
    assert (facts.path, facts.type, facts.available_bytes) == ("/pool", "dir", storage.free_bytes(conn, POOL))
    with pytest.raises(NotFound):
        storage.describe_pool(conn, uuid4())


def test_a_volume_comes_and_goes(conn: Connection) -> None:
    made = storage.create_volume(conn, POOL, Volume(name="a", capacity_bytes=MIB, format="raw"))
    assert (made.name, made.path, made.capacity_bytes) == ("a", "/pool/a", MIB)
    assert storage.list_volumes(conn, POOL) == [made] == [storage.describe_volume(conn, POOL, "a")]
    with pytest.raises(AlreadyExists):
        storage.create_volume(conn, POOL, Volume(name="a", capacity_bytes=MIB, format="raw"))
    storage.delete_volume(conn, POOL, "a")
    assert not storage.volume_exists(conn, POOL, "a")
    with pytest.raises(NotFound):
        storage.describe_volume(conn, POOL, "a")


def test_a_pool_is_defined_and_a_second_of_its_name_refused(conn: Connection) -> None:
    pool = Pool(type="dir", name="other", path="/other")
    uuid = storage.define_pool(conn, pool, autostart=True, start=True, build=True)
    listed = next(state for state in storage.list_pools(conn) if state.uuid == uuid)
    assert (listed.active, listed.autostart) == (True, True)
    with pytest.raises(VirtError):
        storage.define_pool(
            conn, Pool(type="dir", name="other", path="/third"), autostart=False, start=False, build=False
        )


def test_it_finds_the_users_of_a_path(conn: Connection) -> None:
    assert usage.users_of(conn, "/pool/first.qcow2") == [(FIRST, "first")]
    assert usage.users_of(conn, "/pool/../pool/./first.qcow2") == [(FIRST, "first")]
    assert usage.users_of(conn, "/pool/nobody") == []


def test_it_finds_the_users_of_a_volume_given_by_pool_and_name(conn: Connection) -> None:
    made = storage.create_volume(conn, POOL, Volume(name="cd.iso", capacity_bytes=MIB, format="raw"))
    assert usage.users_of(conn, made.path) == [(FIRST, "first")]


def test_it_finds_who_mounts_a_path(conn: Connection) -> None:
    domain = Domain.parse(domains.describe(conn, FIRST).xml_inactive)
    domain.filesystems = [
        Filesystem(type="mount", source=Source(dir="/pool/root"), target="root"),
        Filesystem(type="mount", source=Source(dir="/pool/read"), target="read", readonly=True),
    ]
    domains.define(conn, domain)
    assert usage.users_of(conn, "/pool/./root") == [(FIRST, "first")]
    assert not usage.mounted(conn, FIRST, "/pool/root"), "it runs without it until its next start"
    domains.destroy(conn, FIRST)
    domains.start(conn, FIRST)
    assert usage.mounted(conn, FIRST, "/pool//root")
    assert not usage.mounted(conn, FIRST, "/pool/read")


def test_networks_are_listed_and_described(conn: Connection) -> None:
    (network,) = networks.list_networks(conn)
    assert (network.uuid, network.name, network.active) == (LAN, "lan", True)
    facts = networks.describe(conn, LAN)
    assert (facts.bridge, facts.forward_mode) == ("virbr7", "nat")
    assert [(ip.address, ip.netmask, ip.ranges) for ip in facts.ips] == [
        ("192.168.7.1", "255.255.255.0", (("192.168.7.2", "192.168.7.254"),))
    ]
    with pytest.raises(NotFound):
        networks.describe(conn, uuid4())


def test_a_network_is_defined_and_started(conn: Connection) -> None:
    ip = Ip(address="10.9.0.1", netmask="255.255.255.0", ranges=[DhcpRange(start="10.9.0.2", end="10.9.0.9")])
    uuid = networks.define_network(
        conn, Network(name="new", forward_mode="nat", bridge="virbr9", ips=[ip]), autostart=True, start=True
    )
    facts = networks.describe(conn, uuid)
    assert (facts.active, facts.autostart, facts.bridge) == (True, True, "virbr9")
    networks.start(conn, uuid)
