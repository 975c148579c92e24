"""Modular daemons of which one ends, is away, or begins anew: the host is up, and what is shown is as last known."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
import redis

from hosts.keys import own_public_key
from hosts.models import Host, HostStatus
from monitor.reader import HostReader
from networks.models import Network
from storage.models import Pool
from tests.host.virt.found import furnish
from tests.lab.ssh_host import SshHost
from tests.waiting import wait_for

NOTICED_SECONDS = 5.0

T = TypeVar("T")


@pytest.fixture
def host(ssh_host: SshHost, transactional_db: None, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr("monitor.reader.LOOK_SECONDS", 1.0)
    ssh_host.trust(own_public_key())
    ssh_host.start_by_socket("virtqemud")
    furnish(ssh_host)
    return Host.objects.create(name="kvm-01", uri=ssh_host.uri, host_key=ssh_host.host_key)


@contextmanager
def reading(host: Host) -> Iterator[None]:
    reader = HostReader(host, may_write=lambda: True)
    reader.start()
    try:
        wait_for(lambda: is_up(host), 20)
        yield
    finally:
        reader.stop()
        assert reader.join(20)


def read(ask: Callable[[], T]) -> T:
    """What the rows say, also while the reader writes them."""
    return wait_for(lambda: [ask()])[0]


def status(host: Host) -> HostStatus | None:
    return read(lambda: HostStatus.objects.filter(host=host).first())


def is_up(host: Host) -> bool:
    found = status(host)
    return found is not None and found.is_up


def away(host: Host) -> set[str]:
    """The parts that are away."""
    found = status(host)
    return set(found.away) if found else set()


def default(model: type[Pool | Network]) -> Pool | Network | None:
    """The pool or the network that `furnish` makes."""
    return read(lambda: model.objects.filter(name="default").select_related("host__status").first())


def is_active(model: type[Pool | Network]) -> bool:
    row = default(model)
    return row is not None and row.state == "active" and row.stale_since is None


@pytest.mark.parametrize(
    ("daemon", "part", "model", "stop"),
    [("virtstoraged", "storage", Pool, "pool-destroy"), ("virtnetworkd", "network", Network, "net-destroy")],
)
def test_what_a_part_told_stays_while_it_is_away_and_is_true_again_after(
    host: Host, ssh_host: SshHost, daemon: str, part: str, model: type[Pool | Network], stop: str
) -> None:
    with reading(host):
        wait_for(lambda: is_active(model))
        ssh_host.stop_part(daemon)
        wait_for(lambda: part in away(host), NOTICED_SECONDS)
        assert is_up(host)
        row = default(model)
        assert row is not None
        assert (row.state, row.stale_since is None) == ("active", False)
        assert row.away is not None
        assert f"{daemon} does not run on the host." in row.away["detail"]
        ssh_host.start_part(daemon)
        wait_for(lambda: not away(host), NOTICED_SECONDS)
        wait_for(lambda: is_active(model))
        ssh_host.virsh(stop, "default")
        wait_for(lambda: not is_active(model), NOTICED_SECONDS)
        assert not away(host)


def test_a_part_that_was_started_anew_is_heard_again(host: Host, ssh_host: SshHost) -> None:
    """virtqemud clings to the old one for as long as our connection lives."""
    with reading(host):
        wait_for(lambda: is_active(Pool))
        for _ in range(2):
            ssh_host.stop_part("virtstoraged")
            ssh_host.start_part("virtstoraged")
            ssh_host.virsh("pool-destroy", "default")
            wait_for(lambda: not is_active(Pool), NOTICED_SECONDS)
            ssh_host.virsh("pool-start", "default")
            wait_for(lambda: is_active(Pool), NOTICED_SECONDS)
            assert is_up(host)
            assert not away(host)


def test_a_host_without_its_parts_is_connected_all_the_same(host: Host, ssh_host: SshHost) -> None:
    for daemon in ("virtstoraged", "virtnetworkd", "virtnodedevd"):
        ssh_host.stop_part(daemon)
    with reading(host):
        assert away(host) == {"storage", "network", "nodedev"}
        for daemon in ("virtstoraged", "virtnetworkd", "virtnodedevd"):
            ssh_host.start_part(daemon)
        wait_for(lambda: not away(host), NOTICED_SECONDS)
        wait_for(lambda: is_active(Pool) and is_active(Network))
