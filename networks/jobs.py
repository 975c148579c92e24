"""What a worker does with networks on their hosts."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Ref
from hosts.connections import connect, read_again, settled
from networks import ranges
from networks.services import DEFAULT_NETWORK
from tasks.context import Context
from tasks.registry import job
from virt import interfaces, networks
from virt.connection import Connection
from virt.errors import AlreadyExists, Busy, NotFound, VirtError
from virt.xml.network import DhcpRange, Ip
from virt.xml.network import Network as NetworkXml

# What libvirt says of an address that an interface of the host has already.
TAKEN = "already in use by interface"


@job("networks.make_default_network")
def make_default_network(context: Context) -> None:
    """Start and autostart the network `default`; make it, with NAT and DHCP, where there is none.

    (virNetworkDefineXMLFlags, virNetworkCreate, virNetworkSetAutostart)
    """
    with connect(context.host_id) as conn:
        known = next((found for found in networks.list_networks(conn) if found.name == DEFAULT_NETWORK), None)
        if known and known.active and known.autostart:
            context.say(_("The network default is there and runs: nothing to do."))
            return
        if known:
            networks.start(conn, known.uuid, autostart=True)
            uuid = known.uuid
        else:
            uuid = define(conn)
    settled(context, Ref("network", context.host_id, uuid, DEFAULT_NETWORK))


def define(conn: Connection) -> UUID:
    """Define and start it on the first range that no network and no interface of the host has.

    Only the host itself knows its interfaces: starting tells. Raises the last VirtError where none is free.
    """
    subnets = free_subnets(conn)
    return first_free(
        partial(networks.define_network, conn, definition(subnet), autostart=True, start=True) for subnet in subnets
    )


def first_free(attempts: Iterable[Callable[[], UUID]]) -> UUID:
    """Make the first network whose addresses nothing on the host has. Raises the last refusal where all are taken."""
    refused: AlreadyExists | None = None
    for attempt in attempts:
        try:
            return attempt()
        except AlreadyExists as error:
            # Its name may be taken too, which no other range mends; what we found out ourselves is about addresses.
            if error.libvirt and TAKEN not in error.libvirt:
                raise
            refused = error
    raise refused or VirtError()


def free_subnets(conn: Connection) -> Iterator[ipaddress.IPv4Network]:
    """The usual ranges that no defined network has."""
    return ranges.free(subnet for _name, subnet in defined(conn))


def defined(conn: Connection) -> Iterator[tuple[str, ranges.Network]]:
    """The ranges of all networks that the host has, running or not, each with its network's name."""
    for state in networks.list_networks(conn):
        try:
            facts = networks.describe(conn, state.uuid)
        except NotFound:
            continue
        for subnet in ranges.networks_of(ip.cidr for ip in facts.ips if ip.address):
            yield facts.name, subnet


def definition(subnet: ipaddress.IPv4Network) -> NetworkXml:
    """A NAT network whose host has the first address and DHCP gives out the rest; libvirt names the bridge."""
    own, dhcp = usual_addresses(subnet)
    return NetworkXml(name=DEFAULT_NETWORK, forward_mode="nat", stp=True, ips=[ip_of(own, dhcp)])


def usual_addresses(subnet: ipaddress.IPv4Network) -> tuple[ipaddress.IPv4Interface, list[str]]:
    """The host's own address on a network of this range, and the first and the last that DHCP gives out."""
    own = ipaddress.IPv4Interface(f"{subnet[1]}/{subnet.prefixlen}")
    return own, [str(address) for address in ranges.dhcp_range(own)]


def ip_of(own: ranges.Interface, dhcp: list[str]) -> Ip:
    """The host's address on a network; `dhcp` are the first and the last address given out, if any are."""
    given = [DhcpRange(start=dhcp[0], end=dhcp[1])] if dhcp else []
    if own.version == 6:
        return Ip(family="ipv6", address=str(own.ip), prefix=own.network.prefixlen, ranges=given)
    return Ip(address=str(own.ip), netmask=str(own.network.netmask), ranges=given)


def undo_create(context: Context) -> None:
    """Remove the network that was half made."""
    with connect(context.host_id) as conn:
        networks.remove(conn, context.uuid)
    read_again(context)


@job("networks.create", undo=undo_create)
def create(context: Context) -> None:
    """Define a network and start it, once it is sure that nothing on the host has its addresses.

    Where nobody asked for those, others are taken in their place: an earlier task may have just taken them, and of its
    interfaces' addresses many a host tells nothing before it starts a network.
    (virNetworkDefineXMLFlags, virNetworkCreate, virNetworkSetAutostart)
    """
    wanted = context.arguments
    with connect(context.host_id) as conn:
        if wanted["bridge"]:
            check_bridge(conn, wanted["bridge"])
        context.make(network=str(context.uuid))
        first_free(
            partial(define_checked, conn, context.uuid, wanted, own, dhcp) for own, dhcp in choices(conn, wanted)
        )
    settled(context)


def choices(conn: Connection, wanted: dict[str, Any]) -> Iterator[tuple[list[ranges.Interface], list[str]]]:
    """The host's addresses on a new network, each with what DHCP gives out: those of the task, then perhaps others."""
    own = [ipaddress.ip_interface(text) for text in (wanted["own"], wanted["own6"]) if text]
    yield own, wanted["dhcp"]
    if wanted["proposed"]:
        for subnet in free_subnets(conn):
            first, dhcp = usual_addresses(subnet)
            yield [first, *own[1:]], dhcp if wanted["dhcp"] else []


def define_checked(
    conn: Connection, uuid: UUID, wanted: dict[str, Any], own: list[ranges.Interface], dhcp: list[str]
) -> UUID:
    """Define the network with these addresses. Raises AlreadyExists where something on the host has some of them."""
    check_free(conn, own)
    network = NetworkXml(
        name=wanted["name"],
        uuid=str(uuid),
        forward_mode=wanted["forward"] or None,
        # Otherwise guests' IPv6 would be routed while their IPv4 is hidden.
        nat_ipv6=True if wanted["forward"] == "nat" and wanted["own6"] else None,
        bridge=wanted["bridge"] or None,
        stp=None if wanted["bridge"] else True,
        domain=wanted["domain"] or None,
        ips=[ip_of(address, dhcp if address.version == 4 else []) for address in own],
    )
    return networks.define_network(conn, network, autostart=wanted["autostart"], start=wanted["start"])


def check_free(conn: Connection, own: list[ranges.Interface]) -> None:
    """Raise AlreadyExists where a network or an interface of the host has some of these addresses."""
    taken = list(defined(conn))
    for interface in interfaces.list_interfaces(conn):
        addresses = [f"{address}/{prefix}" for address, prefix in interface.addresses]
        taken += [(interface.name, subnet) for subnet in ranges.networks_of(addresses)]
    for address in own:
        for name, subnet in taken:
            if ranges.overlap(address.network, [subnet]):
                raise AlreadyExists(
                    gettext_noop("%(name)s on the host has %(range)s already, which overlaps with %(wanted)s."),
                    hint=gettext_noop("Choose other addresses for the network."),
                    params={"name": name, "range": str(subnet), "wanted": str(address.network)},
                )


def check_bridge(conn: Connection, bridge: str) -> None:
    """Raise NotFound where the host has no such bridge; where it does not tell, starting a guest will."""
    known = {interface.name: interface.type for interface in interfaces.list_interfaces(conn)}
    if any(known.values()) and known.get(bridge) != "bridge":
        raise NotFound(
            gettext_noop("The host has no bridge %(bridge)s."),
            hint=gettext_noop("Make the bridge on the host first, or name another."),
            params={"bridge": bridge},
        )


@job("networks.start")
def start(context: Context) -> None:
    """Start the network (virNetworkCreate)."""
    with connect(context.host_id) as conn:
        networks.start(conn, context.uuid)
    settled(context)


@job("networks.stop")
def stop(context: Context) -> None:
    """Stop the network (virNetworkDestroy)."""
    with connect(context.host_id) as conn:
        networks.stop(conn, context.uuid)
    settled(context)


@job("networks.autostart")
def autostart(context: Context) -> None:
    """Say whether the network starts with its host (virNetworkSetAutostart)."""
    with connect(context.host_id) as conn:
        networks.set_autostart(conn, context.uuid, context.arguments["autostart"])
    settled(context)


@job("networks.remove")
def remove(context: Context) -> None:
    """Stop the network and forget it, unless a guest of the host has a card on it (virNetworkUndefine)."""
    with connect(context.host_id) as conn:
        facts = networks.describe(conn, context.uuid)
        users = networks.users_of(conn, facts.name)
        if users:
            raise Busy(
                gettext_noop("Guests on the host have a card on %(name)s: %(guests)s."),
                hint=gettext_noop("Give them another network, or remove their cards, first."),
                params={"guests": str(len(users)), "name": facts.name},
            )
        networks.remove(conn, facts.uuid)
    settled(context)
