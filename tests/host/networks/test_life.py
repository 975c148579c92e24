"""A network's life on a real host: made in every mode, started, stopped, and removed when nobody is on it."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_interface

import pytest

from accounts.models import User
from hosts.models import Host, HostStatus
from monitor import nets
from monitor.link import Link
from networks import jobs, services
from networks.models import Interface, Lease, Network
from networks.spec import Wanted, resolve
from tasks import runner
from tasks.context import Context
from tasks.models import Task
from tests.host.networks.conftest import URI, ip
from tests.virsh import virsh
from tests.waiting import wait_for
from virt import networks
from virt.access import Access
from virt.connection import Connection
from virt.interfaces import list_interfaces
from virt.xml.network import Network as NetworkXml

GUEST = """
<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='q35'>hvm</type><boot dev='network'/></os>
<devices><interface type='network'><mac address='{mac}'/><source network='{network}'/><model type='virtio'/></interface>
</devices></domain>
"""


@pytest.fixture
def name() -> Iterator[str]:
    name = f"t-net-{secrets.token_hex(4)}"
    yield name
    for verb in ("net-destroy", "net-undefine"):
        subprocess.run(["virsh", "-c", URI, verb, name], capture_output=True)


@pytest.fixture
def actor(host: Host) -> User:
    HostStatus.objects.filter(host=host).update(state=HostStatus.State.UP)
    host.refresh_from_db()
    return User.objects.create_superuser("alice", password="correct horse battery")


@pytest.fixture
def link() -> Iterator[Link]:
    link = Link(Access(URI), note=lambda event: None, closed=lambda: None)
    yield link
    link.close()


Make = Callable[..., Task]


@pytest.fixture
def make(host: Host, actor: User, name: str, conn: Connection) -> Make:
    """Make the network that is asked for, on a range that this host has free; its task, ended."""
    subnet = next(found for found in jobs.free_subnets(conn) if int(str(found).split(".")[2]) >= 200)

    def ask(**wanted: object) -> Task:
        asked: Wanted = {"host": host.pk, "name": name, "mode": "nat", "subnet": str(subnet), **wanted}
        return end_of(services.create_network(spec=resolve(asked, user=actor), actor=actor))

    return ask


def end_of(task: Task) -> Task:
    runner.run(task.pk)
    task.refresh_from_db()
    return task


def names(conn: Connection) -> set[str]:
    return {found.name for found in networks.list_networks(conn)}


def row_of(link: Link, host: Host, name: str) -> Network:
    """The network's row as the monitor writes it now."""
    for uuid in nets.listed(link, host.pk):
        nets.sync_network(link, host.pk, uuid)
    return Network.objects.select_related("host__status").get(host=host, name=name)


def test_a_nat_network_gives_out_what_was_asked_for(link: Link, host: Host, make: Make, name: str) -> None:
    task = make(domain="lab.example")
    assert task.state == "succeeded", task.error
    made = row_of(link, host, name)
    assert task.object_uuid == made.uuid
    assert (made.active, made.autostart, made.forward, made.domain) == (True, True, "nat", "lab.example")
    [address], [[first, last]] = made.addresses, made.dhcp_ranges
    before = address.rpartition(".")[0]
    assert (address, first, last) == (f"{before}.1/24", f"{before}.2", f"{before}.254")
    assert f"inet {address}" in subprocess.check_output(["ip", "addr", "show", made.bridge], text=True)


def test_a_routed_and_an_isolated_one_are_what_they_say(link: Link, host: Host, make: Make, name: str) -> None:
    assert make(mode="route", start=False, autostart=False).state == "succeeded"
    made = row_of(link, host, name)
    assert (made.forward, made.active, made.autostart) == ("route", False, False)
    virsh("net-undefine", name)
    Network.objects.all().delete()
    assert make(mode="isolated", dhcp=False, ipv6="fd00:200::/64").state == "succeeded"
    made = row_of(link, host, name)
    assert (made.forward, made.active, made.dhcp_ranges) == ("", True, [])
    assert made.addresses[1] == "fd00:200::1/64"


@pytest.fixture
def bridge() -> Iterator[str]:
    """A bridge of the host."""
    device = f"t{secrets.token_hex(4)}"
    ip("link", "add", device, "type", "bridge")
    yield device
    ip("link", "del", device)


def test_one_on_a_bridge_of_the_host_has_that_and_nothing_more(
    link: Link, host: Host, make: Make, name: str, bridge: str
) -> None:
    task = make(mode="bridge", subnet="", bridge="t-no-such")
    assert task.state == "failed"
    assert "no bridge t-no-such" in task.error_words["detail"]
    assert make(mode="bridge", subnet="", bridge=bridge).state == "succeeded"
    made = row_of(link, host, name)
    assert (made.forward, made.bridge, made.addresses, made.active) == ("bridge", bridge, [], True)


def test_a_range_of_another_network_is_refused_by_the_host_even_if_that_is_off(
    conn: Connection, make: Make, name: str, link: Link, host: Host
) -> None:
    other = f"{name}-b"
    try:
        assert make(start=False).state == "succeeded"
        taken = row_of(link, host, name)
        Network.objects.all().delete()  # as if the monitor had not seen it yet
        task = make(name=other)
        assert task.state == "failed"
        assert name in task.error_words["detail"]
        assert taken.addresses[0].rpartition(".")[0] in task.error_words["detail"]
        assert other not in names(conn)
    finally:
        virsh("net-undefine", other)


def test_a_range_of_an_interface_is_refused_by_the_host_and_nothing_stays(
    conn: Connection, make: Make, name: str, bridge: str
) -> None:
    ip("addr", "add", "192.168.249.1/24", "dev", bridge)
    ip("link", "set", bridge, "up")
    task = make(subnet="192.168.249.0/24")
    assert task.state == "failed"
    assert "already uses these addresses" in task.error_words["detail"]
    assert name not in names(conn)


def test_where_no_range_was_named_one_is_found_though_the_first_is_taken_by_then(
    conn: Connection, host: Host, actor: User, name: str, bridge: str
) -> None:
    """By an earlier task, and by an interface of which the host tells no address."""
    others = [name, f"{name}-b"]
    specs = [resolve({"host": host.pk, "name": other, "mode": "nat"}, user=actor) for other in others]
    first = specs[0].own
    assert first and first == specs[1].own
    second = next(found for found in jobs.free_subnets(conn) if found != first.network)
    ip("addr", "add", f"{second[1]}/24", "dev", bridge)
    ip("link", "set", bridge, "up")
    try:
        for spec in specs:
            task = end_of(services.create_network(spec=spec, actor=actor))
            assert task.state == "succeeded", task.error
        ours = [found for found in networks.list_networks(conn) if found.name in others]
        made = {found.name: networks.describe(conn, found.uuid).ips[0] for found in ours}
        ranges = [ip_interface(made[other].cidr).network for other in others]
        assert not ranges[1].overlaps(ranges[0])
        assert not ranges[1].overlaps(second)
        assert ranges[1][2] == ip_address(made[others[1]].ranges[0][0])
    finally:
        virsh("net-destroy", others[1])
        virsh("net-undefine", others[1])


def test_it_is_stopped_started_and_starts_with_its_host_as_asked(
    link: Link, host: Host, actor: User, make: Make, name: str
) -> None:
    make()
    network = row_of(link, host, name)
    assert end_of(services.stop_network(network=network, actor=actor)).state == "succeeded"
    network = row_of(link, host, name)
    assert not network.active
    assert end_of(services.set_autostart(network=network, autostart=False, actor=actor)).state == "succeeded"
    assert end_of(services.start_network(network=network, actor=actor)).state == "succeeded"
    network = row_of(link, host, name)
    assert (network.active, network.autostart) == (True, False)


@pytest.fixture
def guest(name: str) -> Iterator[tuple[str, str]]:
    """The name and the card of a guest on that network, which boots from it."""
    guest = f"{name}-guest"
    mac = f"52:54:00:{':'.join(secrets.token_hex(1) for _ in range(3))}"
    yield guest, mac
    virsh("destroy", guest)
    virsh("undefine", guest)


def test_it_is_not_removed_while_a_guest_that_is_off_has_a_card_on_it(
    conn: Connection, link: Link, host: Host, actor: User, make: Make, name: str, guest: tuple[str, str]
) -> None:
    make()
    network = row_of(link, host, name)
    conn.handle.defineXML(GUEST.format(name=guest[0], mac=guest[1], network=name))
    refused = end_of(services.remove_network(network=network, actor=actor))
    assert refused.state == "failed"
    assert f"have a card on {name}: 1." in refused.error_words["detail"]
    assert row_of(link, host, name).active
    virsh("undefine", guest[0])
    assert end_of(services.remove_network(network=network, actor=actor)).state == "succeeded"
    assert name not in names(conn)


def test_the_address_that_a_guest_was_given_is_in_the_rows(
    conn: Connection, link: Link, host: Host, make: Make, name: str, guest: tuple[str, str]
) -> None:
    make()
    network = row_of(link, host, name)
    conn.handle.createXML(GUEST.format(name=guest[0], mac=guest[1], network=name))

    def lease() -> Lease | None:
        nets.take_in_leases(host.pk, link.call(networks.leases))
        return Lease.objects.filter(mac=guest[1]).first()

    given = wait_for(lease, 60)
    assert given.network == network
    assert given.address.startswith(network.addresses[0].rpartition(".")[0])
    assert given.expires is not None
    virsh("net-destroy", name)
    row_of(link, host, name)
    wait_for(lambda: lease() is None)


def test_what_a_killed_worker_had_half_made_is_removed(
    conn: Connection, host: Host, actor: User, make: Make, name: str
) -> None:
    asked: Wanted = {"host": host.pk, "name": name, "mode": "nat", "subnet": "192.168.248.0/24"}
    task = services.create_network(spec=resolve(asked, user=actor), actor=actor)
    network = NetworkXml(name=name, uuid=str(task.object_uuid))
    networks.define_network(conn, network, autostart=False, start=True)
    jobs.undo_create(Context(task, cancel_asked=None))
    assert name not in names(conn)
    # Called again, by another worker, there is nothing left to do.
    jobs.undo_create(Context(task, cancel_asked=None))


def test_the_hosts_bridges_are_known(link: Link, host: Host, bridge: str) -> None:
    nets.take_in_interfaces(host.pk, link.call(list_interfaces))
    assert Interface.objects.get(host=host, name=bridge).type == "bridge"
