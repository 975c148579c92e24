"""Which addresses a guest is said to have, and who is believed."""

import ipaddress
from typing import Any
from uuid import UUID

import pytest

from hosts.models import Host
from instances.models import Instance
from monitor import addresses, guests, nets
from monitor.addresses import AddressReader, merged
from monitor.intake import Intake
from monitor.link import Link
from networks.models import Interface, Lease, Network
from tests.unit.monitor.conftest import Told
from tests.waiting import wait_for
from virt import addresses as virt_addresses
from virt import domains, interfaces, networks
from virt.addresses import Address, Source, is_told
from virt.connection import Connection
from virt.errors import OperationFailed, VirtError
from virt.interfaces import InterfaceFacts
from virt.networks import LeaseFacts

CARD = "52:54:00:11:22:33"
FIRST = UUID("6695eb01-f6a4-8304-79aa-97f2502e193f")


def lease(address: str, mac: str = CARD) -> Address:
    return Address(address, Source.LEASE, mac)


def agent(address: str, mac: str = CARD) -> Address:
    return Address(address, Source.AGENT, mac)


def arp(address: str, mac: str = CARD) -> Address:
    return Address(address, Source.ARP, mac)


def texts(found: list[Address]) -> list[tuple[str, str]]:
    return [(address.address, address.source.value) for address in found]


def test_a_lease_is_known_by_its_card() -> None:
    found = merged([CARD], [], [lease("10.0.0.7"), lease("10.0.0.8", "52:54:00:00:00:99")], [])
    assert texts(found) == [("10.0.0.7", "lease")]


def test_each_address_is_told_once_by_who_knows_best() -> None:
    found = merged([CARD], [], [lease("10.0.0.7")], [arp("10.0.0.7"), arp("10.0.0.9")])
    assert texts(found) == [("10.0.0.7", "lease"), ("10.0.0.9", "arp")]


def test_the_agents_word_stands_alone() -> None:
    found = merged([CARD], [agent("10.0.0.50")], [lease("10.0.0.7")], [arp("10.0.0.7")])
    assert texts(found) == [("10.0.0.50", "agent")]


def test_bridges_inside_the_guest_are_left_out() -> None:
    found = merged([CARD], [agent("172.17.0.1", "02:42:00:00:00:01"), agent("10.0.0.7")], [], [])
    assert texts(found) == [("10.0.0.7", "agent")]


def test_ipv4_comes_first_and_then_the_first_card() -> None:
    second = "52:54:00:11:22:44"
    told = [agent("2001:db8::7"), agent("10.0.0.1", second), agent("10.0.0.9"), agent("10.0.0.10")]
    assert [one for one, _ in texts(merged([CARD, second], told, [], []))] == [
        "10.0.0.9", "10.0.0.10", "10.0.0.1", "2001:db8::7",
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1", "169.254.3.4", "0.0.0.0", "", "no address"])  # noqa: S104
def test_addresses_that_lead_nowhere_are_not_told(address: str) -> None:
    assert not is_told(address)


@pytest.fixture
def reader(host: Host, link: Link, intake: Intake) -> Any:
    reader = AddressReader(host.pk, intake, lambda: link)
    guests.sync_some(link, host.pk, [FIRST])
    yield reader
    # The link is the test's own, and closed by it.
    reader._link = None
    reader.close()


def a_round(reader: AddressReader, intake: Intake, answers: int) -> None:
    reader.begin()
    for _ in range(answers):
        for take_in in wait_for(lambda: intake.take(0.1).answers):
            take_in()


def test_what_the_host_has_heard_reaches_the_row_and_the_open_pages(
    reader: AddressReader, host: Host, intake: Intake, told: Told
) -> None:
    a_round(reader, intake, 1)
    # libvirt's test driver invents one address for each card.
    [known] = Instance.objects.get().addresses
    assert (known["source"], ipaddress.ip_address(known["address"]).is_private) == ("arp", True)
    assert told == [("instance", Instance.objects.get().pk, "changed")]


def test_leases_and_the_hosts_interfaces_reach_their_rows(
    reader: AddressReader, host: Host, link: Link, intake: Intake, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    [uuid] = nets.listed(link, host.pk)
    nets.sync_network(link, host.pk, uuid)
    given = LeaseFacts(CARD, "192.168.7.20", "web", None)
    monkeypatch.setattr(networks, "leases", lambda conn: {uuid: [given]})
    own = InterfaceFacts("br0", "bridge", "", True, ())
    monkeypatch.setattr(interfaces, "list_interfaces", lambda conn: [own])
    told.clear()
    a_round(reader, intake, 1)
    assert ("network", Network.objects.get().pk, "changed") in told
    assert Lease.objects.get().address == "192.168.7.20"
    assert [interface.name for interface in Interface.objects.all()] == ["br0"]


def test_a_round_that_tells_nothing_new_writes_nothing(
    reader: AddressReader, host: Host, intake: Intake, told: Told
) -> None:
    a_round(reader, intake, 1)
    told.clear()
    a_round(reader, intake, 1)
    assert told == []


def test_a_guest_that_is_off_has_no_addresses(reader: AddressReader, host: Host, intake: Intake, link: Link) -> None:
    a_round(reader, intake, 1)
    assert Instance.objects.get().addresses
    link.call(domains.destroy, FIRST)
    guests.sync_some(link, host.pk, [FIRST])
    assert Instance.objects.get().addresses == []


def test_an_agent_is_asked_beside_the_rest_and_believed(
    reader: AddressReader, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    Instance.objects.update(agent=True)
    monkeypatch.setattr(virt_addresses, "told_by_agent", lambda conn, uuid: [agent("10.99.0.7")])
    a_round(reader, intake, 1)
    wait_for(lambda: [take_in() for take_in in intake.take(0.05).answers] or Instance.objects.get().addresses)
    assert [known["address"] for known in Instance.objects.get().addresses] == ["10.99.0.7"]


def test_an_agent_that_does_not_answer_is_left_alone_for_a_while(
    reader: AddressReader, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []

    def silent(conn: Connection, uuid: UUID) -> list[Address]:
        asked.append(uuid)
        raise OperationFailed()

    Instance.objects.update(agent=True)
    monkeypatch.setattr(virt_addresses, "told_by_agent", silent)
    for _ in range(2):
        a_round(reader, intake, 1)
        wait_for(lambda: [take_in() for take_in in intake.take(0.05).answers] or Instance.objects.get().addresses)
    assert asked == [FIRST]
    assert [known["source"] for known in Instance.objects.get().addresses] == ["arp"]


def test_what_an_agent_told_before_the_monitor_began_stays_until_it_tells_again(
    reader: AddressReader, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [{"address": "10.99.0.7", "source": "agent", "mac": CARD}]
    Instance.objects.update(agent=True, addresses=before)
    monkeypatch.setattr(Link, "aside", lambda *args, **kwargs: True)
    a_round(reader, intake, 1)
    assert Instance.objects.get().addresses == before


def test_a_host_without_any_of_it_is_no_fault(
    reader: AddressReader, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(conn: Connection, uuid: UUID | None = None) -> list[Address]:
        raise VirtError()

    monkeypatch.setattr(networks, "leases", cannot)
    monkeypatch.setattr(virt_addresses, "heard", cannot)
    a_round(reader, intake, 1)
    assert Instance.objects.get().addresses == []


def test_an_agent_that_hangs_is_given_up_with_the_connection_it_holds(
    reader: AddressReader, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    Instance.objects.update(agent=True)
    monkeypatch.setattr(Link, "aside", lambda *args, **kwargs: True)
    closed: list[bool] = []
    monkeypatch.setattr(reader, "_drop", lambda: closed.append(True))
    a_round(reader, intake, 1)
    monkeypatch.setattr(addresses, "AGENT_HANGS_SECONDS", 0.0)
    a_round(reader, intake, 1)
    assert closed == [True]
    assert reader._known[FIRST].agent_asked is None, "it is not asked again at once"
