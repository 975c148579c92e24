"""What libvirt sends no event for: guests' IP addresses, networks' leases, and the host's own interfaces.

They are asked for again and again beside the reader, by a connection of their own.
"""

import ipaddress
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from instances.models import Instance
from monitor import nets
from monitor.intake import Intake
from monitor.link import CALL_SECONDS, Link
from monitor.rows import Changes
from virt import addresses, interfaces, networks
from virt.addresses import Address, Source, is_told
from virt.connection import Connection
from virt.errors import Unreachable, VirtError
from virt.interfaces import InterfaceFacts
from virt.networks import LeaseFacts

log = logging.getLogger(__name__)

# Leases are asked for in each round.
ROUND_SECONDS = 10.0
ARP_SECONDS = 30.0
AGENT_SECONDS = 60.0
# An agent that does not answer holds its call for 5 s, and one that hangs for good.
AGENT_HANGS_SECONDS = 60.0
AGENT_REST_SECONDS = 300.0
INTERFACES_SECONDS = 60.0
# Two calls for each interface.
INTERFACES_CALL_SECONDS = 30.0

T = TypeVar("T")
Open = Callable[[], Link]
Leases = dict[UUID, list[LeaseFacts]]


@dataclass
class Known:
    """What is known of a guest since it came into its state; times are monotonic."""

    since: datetime | None
    agent: list[Address] | None = None
    heard: list[Address] = field(default_factory=list)
    heard_due: float = 0.0
    agent_due: float = 0.0
    agent_asked: float | None = None


@dataclass(frozen=True)
class Round:
    """Whom to ask for in one round, and whether for the host's interfaces too."""

    interfaces: bool
    hear: list[UUID]
    agents: list[UUID]


class AddressReader:
    """Keeps the addresses of one host's guests, the leases of its networks, and its interfaces.

    All but `_ask` and what it calls runs in the reader's thread.
    A call for an agent waits for the guest, and may wait for good: it holds up neither events nor the leases.
    """

    def __init__(self, host_id: int, intake: Intake, open_link: Open) -> None:
        self._host_id = host_id
        self._intake = intake
        self._open = open_link
        self._known: dict[UUID, Known] = {}
        self._leases: list[Address] = []
        self._interfaces_due = 0.0
        self._link: Link | None = None
        self._round: Future[None] | None = None
        self._closed = False
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="addresses")

    def begin(self) -> None:
        """Begin a round, unless the last one goes on still."""
        if self._round is not None and not self._round.done():
            return
        rows = self._rows()
        now = time.monotonic()
        self._known = {row.uuid: self._known_of(row) for row in rows}
        self._let_go(now)
        running = [row for row in rows if row.state == Instance.State.RUNNING]
        self._round = self._threads.submit(self._ask, self._plan(running, now))

    def check(self) -> None:
        """Cut a call of the round that takes too long; called by the supervisor."""
        link = self._link
        if link is not None and link.is_overdue:
            link.cut()

    def close(self) -> None:
        self._closed = True
        link = self._link
        if link is not None and link.is_asking:
            link.cut()
        self._threads.submit(self._drop)
        self._threads.shutdown(wait=False)

    def _rows(self) -> list[Instance]:
        states = (Instance.State.RUNNING, Instance.State.PAUSED)
        found = Instance.objects.filter(host_id=self._host_id, state__in=states)
        return list(found.only("uuid", "state", "state_since", "interfaces", "addresses", "agent"))

    def _known_of(self, row: Instance) -> Known:
        known = self._known.get(row.uuid)
        if known is None or known.since != row.state_since:
            return Known(row.state_since)
        if not row.agent:
            known.agent, known.agent_due = None, 0.0
        return known

    def _let_go(self, now: float) -> None:
        """Give up agents that hang, with the connection that they hold."""
        hanging = [
            known
            for known in self._known.values()
            if known.agent_asked is not None and now - known.agent_asked > AGENT_HANGS_SECONDS
        ]
        for known in hanging:
            known.agent_asked = None
            known.agent_due = now + AGENT_REST_SECONDS
        if hanging:
            self._threads.submit(self._drop)

    def _plan(self, running: list[Instance], now: float) -> Round:
        plan = Round(now >= self._interfaces_due, [], [])
        if plan.interfaces:
            self._interfaces_due = now + INTERFACES_SECONDS
        for row in running:
            known = self._known[row.uuid]
            if now >= known.heard_due or not row.addresses:
                known.heard_due = now + ARP_SECONDS
                plan.hear.append(row.uuid)
            if row.agent and known.agent_asked is None and now >= known.agent_due:
                known.agent_asked = now
                plan.agents.append(row.uuid)
        return plan

    def _ask(self, plan: Round) -> None:
        """Ask for leases and the ARP table, and begin to ask the agents; in a thread of its own."""
        try:
            link = self._link = self._link or self._open()
            for uuid in plan.agents:
                link.aside(f"agent {uuid}", partial(addresses.told_by_agent, uuid=uuid), partial(self._hand_in, uuid))
            leases = told(link, networks.leases)
            heard = {uuid: told(link, partial(addresses.heard, uuid=uuid)) for uuid in plan.hear}
            own = told(link, interfaces.list_interfaces, INTERFACES_CALL_SECONDS) if plan.interfaces else None
        except VirtError as error:
            log.info("Addresses cannot be asked for: %s", error)
            self._drop()
            self._intake.answered(partial(self._not_asked, plan.agents))
            return
        self._intake.answered(partial(self._take_in, leases, heard, own))

    def _hand_in(self, uuid: UUID, answer: Future[list[Address]]) -> None:
        self._intake.answered(partial(self._agent_told, uuid, answer))

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            try:
                link.close()
            except VirtError as error:
                log.info("A connection for addresses is closed: %s", error)
            self._intake.answered(partial(self._not_asked, list(self._known)))

    def _not_asked(self, uuids: list[UUID]) -> None:
        for uuid in uuids:
            if uuid in self._known:
                self._known[uuid].agent_asked = None

    def _take_in(
        self, leases: Leases | None, heard: dict[UUID, list[Address] | None], own: list[InterfaceFacts] | None
    ) -> None:
        if self._closed:
            return
        if leases is not None:
            self._leases = list(lent(leases))
            nets.take_in_leases(self._host_id, leases)
        if own is not None:
            nets.take_in_interfaces(self._host_id, own)
        for uuid, found in heard.items():
            # A guest that is quiet for a while leaves the ARP table, and keeps its address.
            if found and uuid in self._known:
                self._known[uuid].heard = found
        self._write()

    def _agent_told(self, uuid: UUID, answer: Future[list[Address]]) -> None:
        self._not_asked([uuid])
        known = self._known.get(uuid)
        if known is None:
            return
        now = time.monotonic()
        try:
            known.agent = answer.result()
            known.agent_due = now + AGENT_SECONDS
        except Unreachable as error:
            # Another one hung, or the host fell silent: this one is asked in the next round.
            log.info("The agent of guest %s was not heard: %s", uuid, error)
        except VirtError as error:
            log.info("The agent of guest %s does not tell its addresses: %s", uuid, error)
            known.agent = known.agent or []
            known.agent_due = now + AGENT_REST_SECONDS
        self._write()

    def _write(self) -> None:
        """Make the rows say what is known."""
        if self._closed:
            return
        changes = Changes(self._host_id)
        for row in self._rows():
            known = self._known.get(row.uuid)
            # What an agent told before the monitor began stays until it tells again.
            if known is None or (row.agent and known.agent is None and row.addresses):
                continue
            cards = [card["mac"].lower() for card in row.interfaces]
            found = merged(cards, known.agent or [], self._leases, known.heard)
            changes.change(row, {"addresses": [shape(address) for address in found]})
        changes.commit()


def told(link: Link, ask: Callable[[Connection], T], seconds: float = CALL_SECONDS) -> T | None:
    """What the host tells, or None where it does not. Raises VirtError where the connection is broken."""
    try:
        return link.long_call(seconds, ask)
    except VirtError as error:
        if not link.is_alive:
            raise
        log.debug("The host does not tell: %s", error)
        return None


def lent(leases: Leases) -> Iterator[Address]:
    """The addresses among these that lead to a card."""
    for given in leases.values():
        for lease in given:
            if lease.mac and is_told(lease.address):
                yield Address(lease.address, Source.LEASE, lease.mac)


def merged(cards: list[str], agent: list[Address], leases: list[Address], heard: list[Address]) -> list[Address]:
    """A guest's addresses, each once: the agent's alone where it tells any, else those leased and those heard.

    An agent tells of bridges inside its guest too: these are left out, where the cards' own addresses are known.
    """
    found = [address for address in agent if address.mac in cards] or agent
    if not found:
        found = [address for address in [*leases, *heard] if address.mac in cards]
    return sorted(unique(found), key=partial(order, cards))


def unique(found: Iterable[Address]) -> list[Address]:
    first: dict[str, Address] = {}
    for address in found:
        first.setdefault(address.address, address)
    return list(first.values())


def order(cards: list[str], address: Address) -> tuple[int, int, int]:
    """IPv4 before IPv6, then as the guest's cards are in order."""
    parsed = ipaddress.ip_address(address.address)
    card = cards.index(address.mac) if address.mac in cards else len(cards)
    return parsed.version, card, int(parsed)


def shape(address: Address) -> dict[str, str]:
    return {"address": address.address, "source": address.source.value, "mac": address.mac}
