"""Networks, their leases and the host's own interfaces as rows."""

from collections.abc import Iterable
from uuid import UUID

from monitor.link import Link
from monitor.rows import Changes
from networks.models import Interface, Lease, Network
from virt import networks
from virt.errors import NotFound
from virt.interfaces import InterfaceFacts
from virt.networks import LeaseFacts, NetworkFacts


def listed(link: Link, host_id: int) -> list[UUID]:
    """The uuids of all networks there are; the rows of others are removed."""
    uuids = [network.uuid for network in link.call(networks.list_networks)]
    changes = Changes(host_id)
    changes.remove(Network.objects.filter(host_id=host_id).exclude(uuid__in=uuids))
    changes.commit()
    return uuids


def sync_network(link: Link, host_id: int, uuid: UUID) -> None:
    """Make a network's row true."""
    changes = Changes(host_id)
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
        "domain": facts.domain,
        "addresses": [ip.cidr for ip in facts.ips if ip.address],
        "dhcp_ranges": [list(limits) for ip in facts.ips for limits in ip.ranges],
        "xml": facts.xml,
    }


def take_in_leases(host_id: int, read: dict[UUID, list[LeaseFacts]]) -> None:
    """Make the rows of leases say what was read, and tell of the networks whose leases that changes."""
    changes = Changes(host_id)
    for network in Network.objects.filter(host_id=host_id).only("uuid").prefetch_related("leases"):
        known = {lease.address: lease for lease in network.leases.all()}
        # One that was not active when it was read has none that count.
        given = {lease.address: lease for lease in read.get(network.uuid, [])}
        touched = known.keys() != given.keys()
        for address, facts in given.items():
            # The guest alone decides how long these are.
            values = {"mac": facts.mac[:64], "hostname": facts.hostname[:255], "expires": facts.expires}
            row = known.pop(address, None)
            if row is None:
                changes.add(Lease(network=network, address=address, **values))
            else:
                touched |= bool(changes.change(row, values))
        changes.remove(known.values())
        if touched:
            changes.tell(Network, network.pk)
    changes.commit()


def take_in_interfaces(host_id: int, read: Iterable[InterfaceFacts]) -> None:
    """Make the rows of the host's interfaces say what was read."""
    changes = Changes(host_id)
    known = {row.name: row for row in Interface.objects.filter(host_id=host_id)}
    for facts in read:
        values = {
            "type": facts.type,
            "mac": facts.mac,
            "active": facts.active,
            "addresses": [f"{address}/{prefix}" for address, prefix in facts.addresses],
        }
        row = known.pop(facts.name, None)
        if row is None:
            changes.add(Interface(host_id=host_id, name=facts.name, **values))
        else:
            changes.change(row, values)
    changes.remove(known.values())
    changes.commit()
