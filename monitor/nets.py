"""Networks as rows."""

import ipaddress
from uuid import UUID

from monitor.link import Link
from monitor.rows import Changes
from networks.models import Network
from virt import networks
from virt.errors import NotFound
from virt.networks import IpFacts, NetworkFacts

# What an IPv4 address without netmask or prefix means, by its first byte (classes A, B and C).
CLASSES = ((128, 8), (192, 16), (256, 24))


def listed(link: Link, host_id: int) -> list[UUID]:
    """The uuids of all networks there are; the rows of others are removed."""
    uuids = [network.uuid for network in link.call(networks.list_networks)]
    changes = Changes()
    changes.remove(Network.objects.filter(host_id=host_id).exclude(uuid__in=uuids))
    changes.commit()
    return uuids


def sync_network(link: Link, host_id: int, uuid: UUID) -> None:
    """Make a network's row true."""
    changes = Changes()
    row = Network.objects.filter(host_id=host_id, uuid=uuid).first()
    try:
        values = _values(link.call(networks.describe, uuid))
    except NotFound:
        changes.remove([row] if row else [])
    else:
        if row is None:
            changes.add(Network(host_id=host_id, uuid=uuid, **values))
        else:
            changes.change(row, values)
    changes.commit()


def _values(facts: NetworkFacts) -> dict[str, object]:
    return {
        "name": facts.name,
        "active": facts.active,
        "autostart": facts.autostart,
        "persistent": facts.persistent,
        "bridge": facts.bridge,
        "forward": facts.forward_mode,
        "addresses": [cidr(ip) for ip in facts.ips],
        "dhcp_ranges": [list(limits) for ip in facts.ips for limits in ip.ranges],
        "xml": facts.xml,
    }


def cidr(ip: IpFacts) -> str:
    """An address with its prefix, as 192.168.122.1/24."""
    if ip.prefix is not None or ip.netmask:
        return ipaddress.ip_interface(f"{ip.address}/{ip.netmask if ip.prefix is None else ip.prefix}").with_prefixlen
    address = ipaddress.ip_address(ip.address)
    if isinstance(address, ipaddress.IPv6Address):
        return f"{address}/64"
    return f"{address}/{next(prefix for below, prefix in CLASSES if address.packed[0] < below)}"
