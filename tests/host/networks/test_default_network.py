"""The default network on a real host, made beside what the host has already."""

import secrets
import subprocess
from collections.abc import Iterator

import pytest

from accounts.models import User
from hosts.models import Host
from networks import jobs, services
from tasks import runner
from tasks.models import Task
from tests.host.networks.conftest import URI, ip
from virt import networks
from virt.connection import Connection


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What the default network is called here, so that the host's own stays as it is."""
    name = f"t-networks-{secrets.token_hex(4)}"
    monkeypatch.setattr(jobs, "DEFAULT_NETWORK", name)
    yield name
    for verb in ("net-destroy", "net-undefine"):
        subprocess.run(["virsh", "-c", URI, verb, name], capture_output=True)


@pytest.fixture
def interface(conn: Connection) -> Iterator[str]:
    """An interface of the host that has the range that would be taken next; that range."""
    subnet = next(jobs.free_subnets(conn))
    device = f"t{secrets.token_hex(4)}"
    ip("link", "add", device, "type", "bridge")
    ip("addr", "add", f"{subnet[1]}/24", "dev", device)
    ip("link", "set", device, "up")
    yield str(subnet)
    ip("link", "del", device)


def ask(host: Host) -> Task:
    actor, _new = User.objects.get_or_create(username="alice", is_superuser=True)
    task = services.ensure_default_network(host=host, actor=actor)
    runner.run(task.pk)
    task.refresh_from_db()
    return task


def state_of(conn: Connection, name: str) -> networks.NetworkFacts:
    return networks.describe(conn, next(found.uuid for found in networks.list_networks(conn) if found.name == name))


def test_it_runs_on_a_range_that_no_interface_of_the_host_has(
    conn: Connection, host: Host, name: str, interface: str
) -> None:
    task = ask(host)
    assert task.state == "succeeded", task.error
    made = state_of(conn, name)
    assert (made.active, made.autostart, made.forward_mode) == (True, True, "nat")
    assert f"{made.ips[0].address.rpartition('.')[0]}.0/24" != interface
    assert made.ips[0].ranges
    # Asked again, there is nothing to do.
    assert ask(host).state == "succeeded"
    assert state_of(conn, name) == made


def test_one_that_is_defined_and_off_is_started(conn: Connection, host: Host, name: str) -> None:
    subnet = next(jobs.free_subnets(conn))
    networks.define_network(conn, jobs.definition(subnet), autostart=False, start=False)
    assert ask(host).state == "succeeded"
    started = state_of(conn, name)
    assert (started.active, started.autostart) == (True, True)


def test_one_that_cannot_start_fails_in_words(conn: Connection, host: Host, name: str, interface: str) -> None:
    taken = jobs.ipaddress.IPv4Network(interface)
    networks.define_network(conn, jobs.definition(taken), autostart=False, start=False)
    task = ask(host)
    assert task.state == "failed"
    assert task.error_words["detail"]
    assert "in use" in task.error_words["libvirt"]
