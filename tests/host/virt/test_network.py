"""Networks on real libvirt: two that want the same are told apart in words."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.host.virt.conftest import unique
from virt import networks
from virt.connection import Connection
from virt.errors import AlreadyExists
from virt.xml.network import DhcpRange, Ip, Network


@pytest.fixture
def made(conn: Connection) -> Iterator[list[UUID]]:
    """Networks that are removed after the test."""
    uuids: list[UUID] = []
    try:
        yield uuids
    finally:
        for uuid in uuids:
            handle = conn.handle.networkLookupByUUID(uuid.bytes)
            if handle.isActive():
                handle.destroy()
            handle.undefine()


def nat(bridge: str, address: str) -> Network:
    start, end = (f"{address.rpartition('.')[0]}.{last}" for last in (2, 9))
    ip = Ip(address=address, netmask="255.255.255.0", ranges=[DhcpRange(start=start, end=end)])
    return Network(name=unique("net"), forward_mode="nat", bridge=bridge, ips=[ip])


def test_a_nat_network_runs(conn: Connection, made: list[UUID]) -> None:
    made.append(networks.define_network(conn, nat("virbr87", "10.87.0.1"), autostart=False, start=True))
    facts = networks.describe(conn, made[0])
    assert (facts.active, facts.bridge, facts.forward_mode) == (True, "virbr87", "nat")
    assert facts.ips[0].ranges == (("10.87.0.2", "10.87.0.9"),)


def test_a_second_on_one_bridge_or_address_is_refused_and_leaves_nothing(conn: Connection, made: list[UUID]) -> None:
    made.append(networks.define_network(conn, nat("virbr88", "10.88.0.1"), autostart=False, start=True))
    before = {network.name for network in networks.list_networks(conn)}
    for other in (nat("virbr88", "10.89.0.1"), nat("virbr89", "10.88.0.1")):
        with pytest.raises(AlreadyExists):
            networks.define_network(conn, other, autostart=False, start=True)
    assert {network.name for network in networks.list_networks(conn)} == before
