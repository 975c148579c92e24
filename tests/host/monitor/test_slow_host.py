"""A host far away, with many guests: after it was dark, what lists show is true within two seconds."""

import time

import pytest
import redis

from hosts.models import Host, HostStatus
from instances.models import Instance
from monitor.reader import HostReader
from tests.guests import define_many
from tests.lab.tcp_host import TcpHost
from tests.waiting import wait_for
from virt.access import Access

GUESTS = 200
STARTED = 3
DELAY_MS = 50
TRUE_SECONDS = 2.0


@pytest.mark.django_db(transaction=True)
def test_states_are_true_within_two_seconds_of_a_reconnect(tcp_host: TcpHost, redis_server: redis.Redis) -> None:
    tcp_host.set_auth("none")
    define_many(Access(tcp_host.uri), "t-slow", GUESTS)
    host = Host.objects.create(name="far", uri=tcp_host.uri)
    HostStatus.objects.create(host=host)
    running = Instance.objects.filter(host=host, state=Instance.State.RUNNING)

    def status() -> HostStatus:
        return HostStatus.objects.get(host=host)

    def noticed() -> bool:
        reader.check()
        return status().stale_since is not None

    reader = HostReader(host, may_write=lambda: True)
    reader.start()
    try:
        wait_for(lambda: status().is_up and not status().reads_definitions, 60)
        assert Instance.objects.filter(host=host).count() == GUESTS
        tcp_host.slow(DELAY_MS)
        tcp_host.go_dark()
        wait_for(noticed, 30)
        for number in range(STARTED):
            tcp_host.virsh("start", f"t-slow-{number}")
        assert not running.exists()
        tcp_host.come_back()
        wait_for(lambda: status().is_up, 40)
        came_back = time.monotonic()
        wait_for(lambda: running.count() == STARTED, TRUE_SECONDS)
        assert time.monotonic() - came_back < TRUE_SECONDS
    finally:
        reader.stop()
        assert reader.join(20)
