"""Domains on libvirt's test driver."""

from uuid import UUID, uuid4

import pytest

from tests.waiting import wait_for
from virt import domains, events, hosts, stats
from virt.connection import Connection
from virt.errors import AlreadyExists, InvalidDefinition, InvalidState, NotFound, Unsupported
from virt.states import State
from virt.xml.domain import Domain, VirtType

FIRST = UUID("6695eb01-f6a4-8304-79aa-97f2502e193f")


def small(name: str, uuid: UUID | None = None) -> Domain:
    return Domain(
        type=VirtType.TEST,
        name=name,
        uuid=str(uuid or uuid4()),
        memory_bytes=64 * 1024 * 1024,
        vcpus=1,
        os_type="hvm",
        arch="i686",
    )


def listed(conn: Connection, uuid: UUID) -> domains.DomainState:
    return next(domain for domain in domains.list_all(conn) if domain.uuid == uuid)


def test_the_list_tells_each_domain(conn: Connection) -> None:
    uuid = domains.define(conn, small("second"))
    found = {domain.name: domain for domain in domains.list_all(conn)}
    assert found["first"].state is State.RUNNING
    assert found["second"].uuid == uuid
    assert (found["second"].state, found["second"].persistent) == (State.SHUTOFF, True)


def test_the_list_takes_the_same_number_of_calls_however_many_there_are(conn: Connection) -> None:
    def calls() -> list[str]:
        made: list[str] = []

        class Counting:
            def __getattr__(self, name: str) -> object:
                made.append(name)
                return getattr(handle, name)

        handle, conn.handle = conn.handle, Counting()
        domains.list_all(conn)
        conn.handle = handle
        return made

    few = calls()
    for number in range(20):
        domains.define(conn, small(f"many-{number}"))
    assert calls() == few
    assert len(few) == 4


def test_a_domain_is_described(conn: Connection) -> None:
    facts = domains.describe(conn, FIRST)
    assert (facts.name, facts.title, facts.vcpus) == ("first", "The first", 2)
    assert facts.max_memory_bytes == 512 * 1024 * 1024
    disk, drive = facts.disks
    assert (disk.path, disk.format, disk.bus, disk.readonly) == ("/pool/first.qcow2", "qcow2", "virtio", False)
    assert (drive.device, drive.pool, drive.volume, drive.readonly) == ("cdrom", "pool", "cd.iso", True)
    assert [(card.network, card.mac, card.model) for card in facts.interfaces] == [
        ("lan", "52:54:00:11:22:33", "virtio")
    ]
    assert [(screen.type, screen.listen) for screen in facts.graphics] == [("vnc", "127.0.0.1")]
    assert facts.xml_inactive


def test_one_that_is_gone_is_not_found(conn: Connection) -> None:
    for call in (domains.describe, domains.start, domains.destroy, domains.undefine, domains.screenshot):
        with pytest.raises(NotFound):
            call(conn, uuid4())


def test_power_changes_the_state(conn: Connection) -> None:
    with pytest.raises(InvalidState, match="already running"):
        domains.start(conn, FIRST)
    domains.suspend(conn, FIRST)
    assert listed(conn, FIRST).state is State.PAUSED
    domains.resume(conn, FIRST)
    domains.reboot(conn, FIRST)
    domains.shutdown(conn, FIRST)
    assert listed(conn, FIRST).state is State.SHUTOFF
    assert listed(conn, FIRST).reason == "shutdown"
    domains.start(conn, FIRST)
    domains.destroy(conn, FIRST)
    assert listed(conn, FIRST).reason == "destroyed"
    with pytest.raises(InvalidState, match="not running"):
        domains.destroy(conn, FIRST)


def test_autostart_is_set_and_unset(conn: Connection) -> None:
    domains.set_autostart(conn, FIRST, True)
    assert listed(conn, FIRST).autostart
    domains.set_autostart(conn, FIRST, False)
    assert not listed(conn, FIRST).autostart


def test_a_definition_comes_changes_and_goes(conn: Connection) -> None:
    uuid = uuid4()
    assert domains.define(conn, small("second", uuid)) == uuid
    assert domains.name_taken(conn, "second")
    domain = Domain.parse(domains.describe(conn, uuid).xml_inactive)
    domain.title = "标题"
    domains.define(conn, domain)
    assert domains.describe(conn, uuid).title == "标题"
    domains.undefine(conn, uuid)
    assert not domains.name_taken(conn, "second")


def test_a_second_of_one_name_is_refused(conn: Connection) -> None:
    with pytest.raises(AlreadyExists):
        domains.define(conn, small("first"))


def test_what_the_schema_does_not_know_is_refused(conn: Connection) -> None:
    domain = small("odd")
    domain.clock = "whenever"
    with pytest.raises(InvalidDefinition) as caught:
        domains.define(conn, domain)
    assert caught.value.libvirt


def test_events_tell_what_happens(conn: Connection) -> None:
    noted: list[events.Event] = []
    subscription = events.subscribe(conn, noted.append)
    domains.destroy(conn, FIRST)
    domains.start(conn, FIRST)
    stopped = events.Event("lifecycle", "domain", FIRST, "first", "stopped")
    started = events.Event("lifecycle", "domain", FIRST, "first", "started")
    wait_for(lambda: {stopped, started} <= set(noted))
    subscription.close()
    before = len(noted)
    domains.destroy(conn, FIRST)
    domains.start(conn, FIRST)
    assert len(noted) == before


def test_a_host_without_domain_capabilities_is_described(conn: Connection) -> None:
    facts = hosts.describe(conn)
    assert (facts.driver, facts.arch, facts.domcapabilities_xml, facts.kvm) == ("TEST", "i686", "", False)
    assert facts.kvm_reason == ""  # nothing of QEMU's is said of it
    assert facts.memory_bytes > 0
    assert hosts.figures(conn).memory_total_bytes == facts.memory_bytes


def test_what_the_driver_does_not_count_is_unknown(conn: Connection) -> None:
    figures = stats.sample(conn)[FIRST]
    assert (figures.cpu_time_ns, figures.balloon_bytes, figures.net_rx_bytes) == (None, None, None)


def test_a_display_that_the_driver_cannot_open_is_refused(conn: Connection) -> None:
    with pytest.raises(Unsupported):
        domains.graphics_fd(conn, FIRST)
