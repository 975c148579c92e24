"""What happened on a host in the last hour, told to those who may see what it happened to."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.utils import timezone

from accounts.rights import Ref
from hosts import happenings
from hosts.happenings import Happening
from tests.unit.world import World, grant, make_instance, make_task


def happened(world: World, *what: tuple[Ref, str], ago: timedelta = timedelta()) -> None:
    happenings.keep(world.host.pk, [Happening(timezone.now() - ago, ref, word) for ref, word in what])


def lines(world: World, name: str) -> list[str]:
    return [line.words for line in happenings.lines_of(world.host, getattr(world, name))]


def test_it_is_told_in_words_the_newest_first(world: World, redis_server: redis.Redis) -> None:
    world.task.delete()
    happened(world, (Ref("host", world.host.pk), "up"))
    happened(world, (world.instance.ref, "started"), (world.pool.ref, "stopped"), (world.instance.ref, "unheard-of"))
    assert lines(world, "viewer") == ["Pool default stopped", "web-1 started", "Connected"]
    text = world.client("viewer").get(f"/hosts/{world.host.pk}/?tab=events").content.decode()
    assert "web-1 started" in text


def test_whoever_sees_one_guest_hears_of_it_alone(world: World, redis_server: redis.Redis) -> None:
    secret = make_instance(world.host, "secret-1")
    grant(world.stranger, "viewer", "instance", world.host, world.instance.uuid)
    happened(world, (secret.ref, "started"), (world.instance.ref, "started"), (Ref("host", world.host.pk), "lost"))
    assert lines(world, "stranger") == ["Connection lost", "web-1 started", "Start web-1"]


def test_a_guest_that_is_gone_is_told_to_those_who_saw_the_host(world: World, redis_server: redis.Redis) -> None:
    world.task.delete()
    happened(world, (Ref("instance", world.host.pk, uuid4(), "old-1"), "undefined"))
    assert lines(world, "viewer") == ["old-1 deleted"]


def test_tasks_of_the_hour_stand_among_them(world: World, redis_server: redis.Redis) -> None:
    make_task(world.admin, world.instance, created_at=timezone.now() - timedelta(hours=2))
    assert lines(world, "viewer") == ["Start web-1"]


def test_it_is_kept_for_an_hour(world: World, redis_server: redis.Redis) -> None:
    old = int((timezone.now() - timedelta(hours=2)).timestamp() * 1000)
    entry: Any = {"type": "host", "uuid": "", "name": "", "word": "up", "at": old / 1000}
    redis_server.xadd(happenings.stream_of(world.host.pk), entry, id=f"{old}-0")
    assert happenings.kept(world.host.pk) == []
    happened(world, (world.instance.ref, "started"))
    assert redis_server.xlen(happenings.stream_of(world.host.pk)) == 1
    assert 0 < redis_server.ttl(happenings.stream_of(world.host.pk)) <= 3600


def test_without_redis_the_page_has_the_tasks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hosts.happenings.client", lambda: redis.Redis(unix_socket_path="/nowhere"))
    assert lines(world, "viewer") == ["Start web-1"]
