"""Modular daemons of which one ends, is away, or begins anew: the host is up, and what is shown is as last known."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        wait_for(lambda: status(host) is not None and status(host).is_up, 20)
        yield
    finally:
        reader.stop()
        assert reader.join(20)


def status(host: Host) -> HostStatus:
    return HostStatus.objects.filter(host=host).first()  # type: ignore[return-value]


def is_active(model: type[Pool | Network]) -> bool:
    row = model.objects.filter(name="default").select_related("host__status").first()
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
        wait_for(lambda: part in status(host).away, NOTICED_SECONDS)
        row = model.objects.select_related("host__status").get(name="default")
        assert status(host).is_up
        assert row.state == "active"
        assert row.stale_since is not None
        assert row.away is not None
        assert f"{daemon} does not run on the host." in row.away["detail"]
        ssh_host.start_part(daemon)
        wait_for(lambda: not status(host).away, NOTICED_SECONDS)
        wait_for(lambda: is_active(model))
        ssh_host.virsh(stop, "default")
        wait_for(lambda: model.objects.get(name="default").state == "inactive", 5)


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
            assert status(host).is_up
            assert status(host).away == {}


def test_a_host_without_its_parts_is_connected_all_the_same(host: Host, ssh_host: SshHost) -> None:
    for daemon in ("virtstoraged", "virtnetworkd", "virtnodedevd"):
        ssh_host.stop_part(daemon)
    with reading(host):
        assert set(status(host).away) == {"storage", "network", "nodedev"}
        for daemon in ("virtstoraged", "virtnetworkd", "virtnodedevd"):
            ssh_host.start_part(daemon)
        wait_for(lambda: not status(host).away, NOTICED_SECONDS)
        wait_for(lambda: is_active(Pool) and is_active(Network))
