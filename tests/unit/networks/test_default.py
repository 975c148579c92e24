"""Which range the default network takes."""

import ipaddress
from collections.abc import Iterator

import pytest

from networks.jobs import definition, free_subnets
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.networks import define_network, describe


@pytest.fixture
def conn() -> Iterator[Connection]:
    with open_connection(Access("test:///default")) as connection:
        yield connection


def test_it_takes_the_first_range_that_no_network_has(conn: Connection) -> None:
    # The test driver's own network has 192.168.122.0/24.
    first = next(free_subnets(conn))
    assert str(first) == "192.168.124.0/24"


def test_it_gives_the_host_the_first_address_and_guests_the_rest(conn: Connection) -> None:
    network = definition(ipaddress.IPv4Network("192.168.140.0/24"))
    network.name = "fresh"
    facts = describe(conn, define_network(conn, network, autostart=True, start=True))
    assert (facts.forward_mode, facts.active, facts.autostart) == ("nat", True, True)
    assert facts.ips[0].address == "192.168.140.1"
    assert facts.ips[0].ranges == (("192.168.140.2", "192.168.140.254"),)
    assert "192.168.140.0/24" not in map(str, free_subnets(conn))
