"""What a new network may be: ranges that are free, and what is said of those that are not."""

import ipaddress
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks import ranges
from networks.models import Interface, Network
from networks.spec import check, proposed, resolve, taken_on
from tasks.errors import Invalid
from tests.unit.world import World


def asked(world: World, **changes: Any) -> Any:
    return {"host": world.host.pk, "name": "lab", "mode": "nat", "subnet": "192.168.150.0/24", **changes}


def faults(world: World, **changes: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refusal:
        check(resolve(asked(world, **changes), user=world.manager))
    return {field: [str(word) for word in words] for field, words in refusal.value.errors.items()}


def test_the_host_has_the_first_address_and_guests_get_the_rest(world: World) -> None:
    spec = resolve(asked(world), user=world.manager)
    check(spec)
    assert str(spec.own) == "192.168.150.1/24"
    assert [str(address) for address in spec.dhcp or ()] == ["192.168.150.2", "192.168.150.254"]


def test_a_written_address_is_the_hosts_and_dhcp_goes_around_it(world: World) -> None:
    spec = resolve(asked(world, subnet="10.9.0.200/24"), user=world.manager)
    assert str(spec.own) == "10.9.0.200/24"
    assert [str(address) for address in spec.dhcp or ()] == ["10.9.0.1", "10.9.0.199"]


def test_without_a_range_one_is_taken_that_nothing_on_the_host_has(world: World) -> None:
    Interface.objects.create(host=world.host, name="eth0", addresses=["192.168.124.9/23"])
    Network.objects.create(host=world.other_host, uuid=uuid.uuid4(), name="far", addresses=["192.168.126.1/24"])
    wanted = asked(world)
    del wanted["subnet"]
    spec = resolve(wanted, user=world.manager)
    check(spec)
    assert str(spec.own) == "192.168.126.1/24"  # .122 is the network's, .124 the interface's
    assert proposed(taken_on([world.other_host])[world.other_host.pk]) == ipaddress.ip_network("192.168.122.0/24")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"name": "default"}, "name"),
        ({"mode": "vepa"}, "mode"),
        ({"host": 0}, "host"),
        ({"subnet": ""}, "subnet"),
        ({"subnet": "192.168.150"}, "subnet"),
        ({"subnet": "192.168.150.0/31"}, "subnet"),
        ({"subnet": "0.0.0.0/0"}, "subnet"),
        ({"subnet": "127.0.0.0/8"}, "subnet"),
        ({"subnet": "0.0.0.0/8"}, "subnet"),
        ({"subnet": "224.0.0.0/24"}, "subnet"),
        ({"subnet": "192.168.150.255/24"}, "subnet"),
        ({"subnet": "fd00::/64"}, "subnet"),
        ({"subnet": "192.168.0.0/16"}, "subnet"),
        ({"ipv6": "fd00::/48"}, "ipv6"),
        ({"ipv6": "fe80::/64"}, "ipv6"),
        ({"ipv6": "192.168.150.0/24"}, "ipv6"),
        ({"dhcp_first": "192.168.151.2"}, "dhcp_first"),
        ({"dhcp_first": "192.168.150.0"}, "dhcp_first"),
        ({"dhcp_first": "192.168.150.1"}, "dhcp_first"),
        ({"dhcp_first": "x"}, "dhcp_first"),
        ({"dhcp_first": "192.168.150.9", "dhcp_last": "192.168.150.8"}, "dhcp_last"),
        ({"subnet": "10.0.0.0/8", "dhcp_last": "10.255.255.1"}, "dhcp_last"),
        ({"dhcp": False, "dhcp_last": "192.168.150.9"}, "dhcp_last"),
        ({"domain": "-lab"}, "domain"),
        ({"domain": "lab\nhost=x"}, "domain"),
        ({"bridge": "br0"}, "bridge"),
        ({"mode": "bridge", "subnet": "", "bridge": ""}, "bridge"),
        ({"mode": "bridge", "subnet": "", "bridge": "br0/../x"}, "bridge"),
        ({"mode": "bridge", "subnet": "", "bridge": "br7"}, "bridge"),
        ({"mode": "bridge", "bridge": "br0"}, "subnet"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(world: World, changes: dict[str, Any], field: str) -> None:
    assert list(faults(world, **changes)) == [field]


def test_it_says_what_has_the_range(world: World) -> None:
    assert faults(world, subnet="192.168.122.128/25")["subnet"] == ["192.168.122.0/24 is taken by the network default."]


def test_an_isolated_one_may_have_no_addresses_and_a_bridged_one_has_none(world: World) -> None:
    assert resolve(asked(world, mode="isolated", subnet=""), user=world.manager).own is None
    spec = resolve(asked(world, mode="bridge", subnet="", bridge="br0"), user=world.manager)
    check(spec)
    assert (spec.bridge, spec.own, spec.dhcp) == ("br0", None, None)


def test_where_a_host_does_not_tell_its_bridges_any_name_is_tried(world: World) -> None:
    Interface.objects.update(type="")
    check(resolve(asked(world, mode="bridge", subnet="", bridge="br7"), user=world.manager))


@given(st.integers(0, 2**32 - 1), st.integers(8, 30))
def test_what_dhcp_gives_out_is_never_the_hosts_own_nor_outside(number: int, prefix: int) -> None:
    asked = ipaddress.IPv4Interface((number, prefix))
    own = ranges.host_address(asked)
    assert isinstance(own, ipaddress.IPv4Interface)
    if own.ip == own.network.broadcast_address:
        return  # refused before
    first, last = ranges.dhcp_range(own)
    assert first in own.network
    assert last in own.network
    assert own.network.network_address < first <= last < own.network.broadcast_address
    assert not first <= own.ip <= last
    assert int(last) - int(first) < ranges.MOST_LEASES


@given(st.lists(st.integers(0, 255), max_size=20))
def test_what_is_proposed_shares_nothing_with_what_is_taken(thirds: list[int]) -> None:
    taken = ranges.networks_of(f"192.168.{third}.1/24" for third in thirds)
    assert ranges.overlap(next(ranges.free(taken)), taken) is None
