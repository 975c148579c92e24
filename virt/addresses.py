"""The IP addresses of guests: what their agent says, and whom the host has heard; `networks` has what DHCP gave."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.translate import translated_errors


class Source(StrEnum):
    """Who says that a guest has an address; the first knows best."""

    AGENT = "agent"
    LEASE = "lease"
    ARP = "arp"


@dataclass(frozen=True)
class Address:
    """An address and the card that has it: `mac` in lower case."""

    address: str
    source: Source
    mac: str


@translated_errors()
def heard(conn: Connection, uuid: UUID) -> list[Address]:
    """Return the addresses of one running guest that are in the host's ARP table; IPv4 only.

    InvalidState where it does not run (virDomainInterfaceAddresses, ARP).
    """
    return list(_addresses(conn, uuid, libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, Source.ARP))


@translated_errors()
def told_by_agent(conn: Connection, uuid: UUID) -> list[Address]:
    """Return the addresses that the guest's agent tells. An agent that hangs may hold this call for good.

    Busy or OperationFailed where it does not answer (virDomainInterfaceAddresses, AGENT).
    """
    return list(_addresses(conn, uuid, libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, Source.AGENT))


def _addresses(conn: Connection, uuid: UUID, number: int, source: Source) -> Iterator[Address]:
    cards: dict[str, dict[str, Any]] = conn.domain(uuid).interfaceAddresses(number)
    for card in cards.values():
        # A card without an address has None in place of a list.
        for entry in card["addrs"] or ():
            if is_told(entry["addr"]):
                yield Address(entry["addr"], source, (card["hwaddr"] or "").lower())


def is_told(address: str) -> bool:
    """Whether an address leads to a guest from elsewhere: not a loopback or link-local one, which each machine has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)
