"""What a worker does with networks on their hosts."""

import ipaddress
from collections.abc import Iterator
from uuid import UUID

from accounts.rights import Ref
from hosts.connections import connect, settled
from networks.services import DEFAULT_NETWORK
from tasks.context import Context
from tasks.registry import job
from virt import networks
from virt.connection import Connection
from virt.errors import VirtError
from virt.xml.network import DhcpRange, Ip
from virt.xml.network import Network as NetworkXml

# libvirt's own first choice, then what few home routers use.
CHOICES = (122, 124, 126, 130, 140, 150, 160, 170, 180, 190, 200, 210, 220, 230, 240)
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
            context.say("The network default is there and runs: nothing to do.")
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
    refused: VirtError | None = None
    for subnet in free_subnets(conn):
        try:
            return networks.define_network(conn, definition(subnet), autostart=True, start=True)
        except VirtError as error:
            if TAKEN not in error.libvirt:
                raise
            refused = error
    raise refused or VirtError()


def free_subnets(conn: Connection) -> Iterator[ipaddress.IPv4Network]:
    """The ranges that no defined network has."""
    taken = []
    for state in networks.list_networks(conn):
        for ip in networks.describe(conn, state.uuid).ips:
            if ip.family == "ipv4" and ip.address:
                taken.append(ipaddress.IPv4Interface(f"{ip.address}/{ip.prefix or ip.netmask or 24}").network)
    for third in CHOICES:
        subnet = ipaddress.IPv4Network(f"192.168.{third}.0/24")
        if not any(subnet.overlaps(other) for other in taken):
            yield subnet


def definition(subnet: ipaddress.IPv4Network) -> NetworkXml:
    """A NAT network whose host has the first address and DHCP gives out the rest; libvirt names the bridge."""
    ip = Ip(
        address=str(subnet[1]),
        netmask=str(subnet.netmask),
        ranges=[DhcpRange(start=str(subnet[2]), end=str(subnet[254]))],
    )
    return NetworkXml(name=DEFAULT_NETWORK, forward_mode="nat", stp=True, ips=[ip])
