"""Two monitors never write the same rows."""

import subprocess
import sys

import pytest
import redis

from monitor import lease
from monitor.lease import KEY, SECONDS, Lease
from webvirt.processes import Process


def holder(pid: int, started: int) -> str:
    return f"{lease._machine()}|{pid}|{started}"


def test_it_is_taken_and_renewed(redis_server: redis.Redis) -> None:
    mine = Lease()
    assert not mine.is_held()
    assert mine.take()
    assert mine.take()
    assert mine.is_held()
    assert 0 < redis_server.ttl(KEY) <= SECONDS


def test_a_living_holder_is_waited_for(redis_server: redis.Redis) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        found = Process.look(other.pid)
        assert found
        redis_server.set(KEY, holder(other.pid, found.started), ex=SECONDS)
        assert not Lease().take()
        other.kill()
    assert Lease().take(), "a holder of this machine that was killed need not be waited out"


def test_a_holder_elsewhere_is_waited_out(redis_server: redis.Redis) -> None:
    redis_server.set(KEY, "another machine|1|1", ex=SECONDS)
    assert not Lease().take()
    redis_server.delete(KEY)
    assert Lease().take()


def test_a_lease_taken_by_another_is_lost(redis_server: redis.Redis) -> None:
    mine = Lease()
    assert mine.take()
    redis_server.set(KEY, "another machine|1|1", ex=SECONDS)
    assert not mine.take()
    assert not mine.is_held()
    mine.give_back()
    assert redis_server.get(KEY) == "another machine|1|1"


def test_a_monitor_that_stood_still_does_not_write(redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Lease()
    mine.take()
    now = lease.time.monotonic()
    monkeypatch.setattr(lease.time, "monotonic", lambda: now + SECONDS + 1)
    assert not mine.is_held()
    mine.extend()
    assert mine.is_held()


def test_it_is_given_back(redis_server: redis.Redis) -> None:
    mine = Lease()
    mine.take()
    mine.give_back()
    assert redis_server.get(KEY) is None
