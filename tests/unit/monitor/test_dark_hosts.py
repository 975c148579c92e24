"""Hosts that cannot be reached are tried again and again, and leave nothing behind."""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from accounts.rights import Ref
from hosts.models import Host, HostStatus
from hosts.settle import Look, look_key, parse_look
from monitor.pace import Pace
from monitor.reader import HostReader
from tests.waiting import wait_for

ROUNDS = 200
# What is made once and kept: libvirt's own tables, Python's caches.
WARM = 40
GROWN_BYTES = 4 << 20


class Counted(Pace):
    """A pace that counts the attempts, and notes how many opens run at the same time."""

    def __init__(self) -> None:
        super().__init__(first=0.002, longest=0.004, open_seconds=0.03)
        self.rounds = 0
        self.most_opens = 0

    def begin(self) -> None:
        self.rounds += 1
        super().begin()

    def pause(self) -> float:
        self.most_opens = max(self.most_opens, sum(one.name.startswith("open ") for one in threading.enumerate()))
        return super().pause()


@contextmanager
def refusing() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def accepting(*, keep: bool) -> Iterator[int]:
    """A port where each connection is accepted, and then closed at once, or kept in silence until the peer ends it."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    while keep and peer.recv(4096):
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


PEERS = {
    "is silent": lambda: accepting(keep=True),
    "closes at once": lambda: accepting(keep=False),
    "refuses": refusing,
}


def threads() -> int:
    return threading.active_count()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def memory() -> int:
    """What is of this process alone, in bytes: how many others share its programs' pages changes meanwhile."""
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("peer", PEERS)
def test_two_hundred_attempts_leave_no_thread_no_descriptor_and_no_memory(peer: str, redis_server: redis.Redis) -> None:
    with PEERS[peer]() as port:
        uri = f"qemu+tcp://127.0.0.1:{port}/system"
        host = Host.objects.create(name="dark", uri=uri)
        HostStatus.objects.create(host=host)
        pace = Counted()
        reader = HostReader(host, may_write=lambda: True, pace=pace)
        reader.start()
        try:
            wait_for(lambda: pace.rounds >= WARM, 60)
            before = descriptors(), memory()
            running = threads()
            wait_for(lambda: pace.rounds >= WARM + ROUNDS, 120)
            # An open that runs has a thread and some descriptors of its own, so the least of several looks counts.
            wait_for(lambda: descriptors() <= before[0] and threads() <= running)
            assert memory() - before[1] < GROWN_BYTES
            assert pace.most_opens <= 1
            status = HostStatus.objects.get(host=host)
            assert status.state == HostStatus.State.DOWN
            assert status.why
        finally:
            reader.stop()
            assert reader.join(10)


@pytest.mark.django_db(transaction=True)
def test_a_monitor_that_ends_calls_no_host_lost(redis_server: redis.Redis) -> None:
    """Whoever ends it ends its ssh programs too; each start then began with hosts that "cannot be reached"."""
    with refusing() as port:
        host = Host.objects.create(name="dark", uri=f"qemu+tcp://127.0.0.1:{port}/system")
        HostStatus.objects.create(host=host, state=HostStatus.State.UP)
        pace = Counted()
        reader = HostReader(host, may_write=lambda: True, ending=lambda: True, pace=pace)
        reader.start()
        wait_for(lambda: pace.rounds > 2)
        reader.stop()
        assert reader.join(10)
        assert HostStatus.objects.get(host=host).state == HostStatus.State.CONNECTING


@pytest.mark.django_db(transaction=True)
def test_a_look_at_a_host_that_is_given_up_is_left_to_whom_reads_it_next(redis_server: redis.Redis) -> None:
    with refusing() as port:
        host = Host.objects.create(name="dark", uri=f"qemu+tcp://127.0.0.1:{port}/system")
        HostStatus.objects.create(host=host)
        reader = HostReader(host, may_write=lambda: True)
        asked = Look("a", (Ref("host", host.pk, None, "dark"),))
        reader.start()
        assert reader.look(asked)
        assert not reader.takes_looks
        reader.stop()
        assert not reader.look(asked)
        assert reader.join(10)
    [left] = redis_server.lrange(look_key(host.pk), 0, -1)
    assert parse_look(host.pk, left) == asked


def test_hosts_that_were_lost_together_are_not_tried_together() -> None:
    paces = [Pace() for _ in range(20)]
    for _ in range(8):
        for pace in paces:
            pace.begin()
            rest = pace.pause()
            assert rest >= 0.4
    rests = [pace.pause() for pace in paces]
    assert max(rests) <= 15 * 1.25
    assert max(rests) - min(rests) > 2
