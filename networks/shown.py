"""What the pages of networks show, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.db.models import Count, Q

from accounts.rights import Ref
from live.registry import TYPES
from networks.models import Attachment, Interface, Lease, Network

SORTS: dict[str, Sequence[str]] = {
    "name": ["name", "host__name"],
    "host": ["host__name", "name"],
    "state": ["active", "name"],
    "mode": ["forward", "name"],
    "bridge": ["bridge", "name"],
}


@dataclass(frozen=True)
class NetworkRow:
    """A network and how many guests have a card on it."""

    network: Network
    guests: int


@dataclass(frozen=True)
class Card:
    """A guest's card; `instance_id` leads to the guest, `addresses` are what DHCP gave it."""

    mac: str
    instance_id: int
    name: str
    running: bool
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeaseRow:
    """A lease; `card` is that of the guest that has it, None where no guest does that the viewer may see."""

    lease: Lease
    card: Card | None


def networks_of(user: Any, *, host: str = "", text: str = "") -> Any:
    """The networks that the viewer may see, by host id and by text in name or bridge."""
    networks = Network.objects.visible_to(user).with_host()
    if host:
        known = host.isascii() and host.isdigit() and len(host) < 19
        networks = networks.filter(host_id=int(host)) if known else networks.none()
    return networks.filter(Q(name__icontains=text) | Q(bridge__icontains=text)) if text else networks


def interfaces_of(user: Any, *, host: str) -> list[Interface]:
    """The interfaces of the host with this id, as far as the viewer may see them."""
    known = host.isascii() and host.isdigit() and len(host) < 19
    return list(Interface.objects.visible_to(user).filter(host_id=int(host)).order_by("name")) if known else []


def network_rows(networks: Iterable[Network]) -> list[NetworkRow]:
    networks = list(networks)
    cards = Attachment.objects.filter(
        host_id__in={network.host_id for network in networks},
        network_name__in={network.name for network in networks},
    )
    counted = cards.values_list("host_id", "network_name").annotate(guests=Count("instance_uuid", distinct=True))
    guests = {(host, name): count for host, name, count in counted.order_by()}
    return [NetworkRow(network, guests.get((network.host_id, network.name), 0)) for network in networks]


@dataclass(frozen=True)
class Attached:
    """Who is on a network, for one viewer: `cards` and `leases` of guests that may be seen, the numbers of the others.

    A lease of no guest that is known here is shown to everybody who sees the network.
    """

    cards: list[Card]
    leases: list[LeaseRow]
    hidden_cards: int
    hidden_leases: int

    @property
    def count(self) -> int:
        return len(self.cards) + self.hidden_cards

    @property
    def running(self) -> int:
        return sum(card.running for card in self.cards)


def in_order(lease: Lease) -> tuple[int, int]:
    """IPv4 before IPv6, then by number."""
    address = ip_address(lease.address)
    return address.version, int(address)


def attached(network: Network, user: Any) -> Attached:
    """Who is on a network, in a constant number of queries."""
    cards = list(
        Attachment.objects.filter(host_id=network.host_id, network_name=network.name).order_by("instance_name", "mac")
    )
    leases = sorted(network.leases.all(), key=in_order) if network.active else []
    given: dict[str, list[str]] = defaultdict(list)
    for lease in leases:
        given[lease.mac].append(lease.address)
    refs = {card.pk: Ref("instance", card.host_id, card.instance_uuid) for card in cards}
    guests = TYPES["instance"]
    ids = guests.find(set(refs.values()))
    seen = guests.visible(user, ids.values())
    shown = [
        Card(card.mac, ids[refs[card.pk]], card.instance_name, card.running, tuple(given[card.mac.lower()]))
        for card in cards
        if ids.get(refs[card.pk]) in seen
    ]
    by_mac = {card.mac.lower(): card for card in shown}
    others = {card.mac.lower() for card in cards} - by_mac.keys()
    rows = [LeaseRow(lease, by_mac.get(lease.mac)) for lease in leases if lease.mac not in others]
    return Attached(shown, rows, len(cards) - len(shown), len(leases) - len(rows))
