"""A monitor reads a host only while it holds its lease; others are waited for, and the dead are not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from monitor import lease
from monitor.lease import SECONDS, Leases, lease_key
from monitor.members import KEY, Members, me
from webvirt.processes import Process, signature

ELSEWHERE = "another machine|1|1"


@contextmanager
def other_process() -> Iterator[str]:
    """The signature of a process of this machine, which has ended after the block."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = Process.look(process.pid)
        assert found
        yield signature(found)
        process.kill()


def dead_process() -> str:
    with other_process() as name:
        pass
    return name


def test_they_are_taken_and_renewed_each(redis_server: redis.Redis) -> None:
    mine = Leases()
    assert not mine.is_held(1)
    assert mine.take([1, 2]) == {1, 2}
    assert mine.take([1]) == {1}
    assert mine.held == {1, 2}
    assert 0 < redis_server.ttl(lease_key(1)) <= SECONDS


def test_one_that_another_holds_is_waited_for(redis_server: redis.Redis) -> None:
    redis_server.set(lease_key(1), ELSEWHERE, ex=SECONDS)
    mine = Leases()
    assert mine.take([1, 2]) == {2}
    assert mine.others == {ELSEWHERE}
    redis_server.delete(lease_key(1))
    assert mine.take([1, 2]) == {1, 2}


def test_one_that_another_has_taken_is_lost_and_is_not_given_back_for_it(redis_server: redis.Redis) -> None:
    mine = Leases()
    mine.take([1, 2])
    redis_server.set(lease_key(1), ELSEWHERE, ex=SECONDS)
    assert mine.take([1, 2]) == {2}
    assert (mine.is_held(1), mine.is_held(2)) == (False, True)
    mine.give_back([1, 2])
    assert redis_server.get(lease_key(1)) == ELSEWHERE
    assert redis_server.get(lease_key(2)) is None
    assert not mine.is_held(2)


def test_a_monitor_that_stood_still_holds_nothing_whether_redis_is_there_or_not(
    redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Leases()
    mine.take([1])
    now = lease.time.monotonic()
    monkeypatch.setattr(lease.time, "monotonic", lambda: now + SECONDS - 1)
    mine.extend()
    monkeypatch.setattr(lease.time, "monotonic", lambda: now + SECONDS + 5)
    assert mine.is_held(1), "Redis is away, so nobody else can have taken it"
    monkeypatch.setattr(lease.time, "monotonic", lambda: now + 10 * SECONDS)
    mine.extend()
    assert not mine.is_held(1)


def test_a_member_of_this_machine_that_was_killed_is_not_waited_for(redis_server: redis.Redis) -> None:
    members = Members()
    with other_process() as other:
        redis_server.zadd(KEY, {other: 1e15})
        members.beat()
        assert members.living == {me(), other}
    members.beat()
    assert members.living == {me()}
    assert Leases().take([1], members.dead) == {1}
    members.beat()
    assert redis_server.zrange(KEY, 0, -1) == [me()]


def test_a_member_that_is_silent_is_gone(redis_server: redis.Redis) -> None:
    members = Members()
    redis_server.zadd(KEY, {ELSEWHERE: 0, "a third machine|1|1": 1e15})
    members.beat()
    assert members.living == {me(), "a third machine|1|1"}
    members.leave()
    assert redis_server.zrange(KEY, 0, -1) == ["a third machine|1|1"]


def test_a_lease_of_a_killed_monitor_is_taken_at_once(redis_server: redis.Redis) -> None:
    dead = dead_process()
    redis_server.set(lease_key(1), dead, ex=SECONDS)
    mine = Leases()
    assert mine.take([1]) == set()
    assert mine.take([1], mine.others) == {1}
