"""What the pages of networks show, in a constant number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from accounts.rights import Ref
from live.registry import TYPES
from networks.models import Attachment, Network

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
    """A guest's card; `instance_id` leads to the guest."""

    mac: str
    instance_id: int
    name: str


def networks_of(user: Any, *, host: str = "", text: str = "") -> Any:
    """The networks that the viewer may see, by host id and by text in name or bridge."""
    networks = Network.objects.visible_to(user).with_host()
    if host:
        known = host.isascii() and host.isdigit() and len(host) < 19
        networks = networks.filter(host_id=int(host)) if known else networks.none()
    return networks.filter(Q(name__icontains=text) | Q(bridge__icontains=text)) if text else networks


def network_rows(networks: Iterable[Network]) -> list[NetworkRow]:
    networks = list(networks)
    cards = Attachment.objects.filter(
        host_id__in={network.host_id for network in networks},
        network_name__in={network.name for network in networks},
    )
    counted = cards.values_list("host_id", "network_name").annotate(guests=Count("instance_uuid", distinct=True))
    guests = {(host, name): count for host, name, count in counted.order_by()}
    return [NetworkRow(network, guests.get((network.host_id, network.name), 0)) for network in networks]


def cards_of(network: Network, user: Any) -> tuple[list[Card], int]:
    """The cards on a network whose guests the viewer may see, and the number of the others."""
    cards = list(
        Attachment.objects.filter(host_id=network.host_id, network_name=network.name).order_by("instance_name", "mac")
    )
    refs = {card.pk: Ref("instance", card.host_id, card.instance_uuid) for card in cards}
    guests = TYPES["instance"]
    ids = guests.find(set(refs.values()))
    seen = guests.visible(user, ids.values())
    shown = [Card(card.mac, ids[refs[card.pk]], card.instance_name) for card in cards if ids.get(refs[card.pk]) in seen]
    return shown, len(cards) - len(shown)
