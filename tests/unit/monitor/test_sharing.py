"""The hosts are divided among the monitors so that few of them move, and nobody takes what another still reads."""

import secrets

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from hosts.models import Host
from instances.models import Instance
from monitor import fence, status
from monitor.lease import SECONDS, lease_key
from monitor.members import KEY, PATIENCE_SECONDS, me
from monitor.models import Watch
from monitor.rows import Changes
from monitor.sharing import Share, owner_of, share_of

HOSTS = range(1, 1001)
NAMES = st.sets(st.text("abcdef0123456789|:", min_size=4, max_size=60), min_size=2, max_size=8)
OTHER = "another machine|1|1"


def owners(members: set[str]) -> dict[int, str]:
    return {host_id: owner_of(host_id, members) for host_id in HOSTS}


@given(NAMES)
def test_every_host_has_one_owner_and_each_owner_about_as_many(members: set[str]) -> None:
    shares = [share_of(member, HOSTS, members) for member in members]
    assert sorted(host_id for share in shares for host_id in share) == list(HOSTS)
    fair = len(HOSTS) / len(members)
    # Five standard deviations of a fair draw.
    assert all(abs(len(share) - fair) < 5 * fair**0.5 for share in shares)


@given(NAMES)
def test_one_that_comes_takes_its_part_and_no_other_host_moves(members: set[str]) -> None:
    newcomer = sorted(members)[0]
    before, after = owners(members - {newcomer}), owners(members)
    moved = {host_id for host_id in HOSTS if before[host_id] != after[host_id]}
    assert {after[host_id] for host_id in moved} == {newcomer}
    part = len(HOSTS) / len(members)
    assert abs(len(moved) - part) < 5 * part**0.5


@given(NAMES)
def test_one_that_goes_leaves_its_own_and_no_other_host_moves(members: set[str]) -> None:
    gone = sorted(members)[-1]
    before, after = owners(members), owners(members - {gone})
    assert {host_id for host_id in HOSTS if before[host_id] != after[host_id]} == share_of(gone, HOSTS, members)


def test_a_host_that_is_another_s_now_is_kept_until_its_reader_has_ended(redis_server: redis.Redis) -> None:
    share = Share()
    hosts = list(range(1, 21))
    assert share.agree(hosts, []) == set(hosts)
    redis_server.zadd(KEY, {OTHER: 1e15})
    stay = share_of(me(), hosts, {me(), OTHER})
    go = set(hosts) - stay
    assert stay
    assert go
    assert share.agree(hosts, hosts) == stay
    for host_id in go:
        assert redis_server.get(lease_key(host_id)) == me()
        assert share.may_write(host_id), "what is being written is still ours"
    assert share.agree(hosts, stay) == stay
    assert [redis_server.get(lease_key(host_id)) for host_id in go] == [None] * len(go)
    assert not any(share.may_write(host_id) for host_id in go)
    share.end()
    assert redis_server.keys("webvirt:host:*:monitor") == []
    assert redis_server.zrange(KEY, 0, -1) == [OTHER]


def asked(redis_server: redis.Redis) -> int:
    """How many scripts it has run."""
    return int(redis_server.info("commandstats")["cmdstat_eval"]["calls"])


def test_the_calls_to_redis_do_not_grow_with_the_hosts(redis_server: redis.Redis) -> None:
    def calls(hosts: list[int]) -> int:
        share = Share()
        share.agree(hosts, [])
        before = asked(redis_server)
        share.agree(hosts, hosts)
        return asked(redis_server) - before

    assert calls([1]) == calls(list(range(1, 301))) == 2


def test_a_redis_that_comes_back_empty_is_no_reason_to_take_what_others_hold(
    redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = Share()
    hosts = list(range(1, 21))
    redis_server.zadd(KEY, {OTHER: 1e15})
    mine = share.agree(hosts, [])
    assert mine < set(hosts)
    redis_server.flushall()
    assert share.agree(hosts, mine) == mine, "the other has not been heard of yet"
    redis_server.zadd(KEY, {OTHER: 1e15})
    assert share.agree(hosts, mine) == mine
    redis_server.zrem(KEY, OTHER)
    monkeypatch.setattr(share._members, "_patient_until", 0.0)
    assert share.agree(hosts, mine) == set(hosts), "it is truly gone"
    assert PATIENCE_SECONDS < SECONDS


def test_nothing_is_written_of_a_host_that_another_has_taken(host: Host, told: list[object]) -> None:
    def add() -> None:
        changes = Changes(host.pk)
        changes.add(Instance(host_id=host.pk, uuid=f"{secrets.randbits(128):032x}", name="a", state="running"))
        changes.commit()

    fence.take(host.pk)
    add()
    status.up(host.pk)
    Watch.objects.update(holder=OTHER)
    told.clear()
    with pytest.raises(fence.Fenced):
        add()
    with pytest.raises(fence.Fenced):
        status.connecting(host.pk)
    assert Instance.objects.count() == 1
    host.status.refresh_from_db()
    assert host.status.is_up
    assert told == []
    fence.take(host.pk)
    add()
    assert Instance.objects.count() == 2
