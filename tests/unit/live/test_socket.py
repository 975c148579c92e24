"""The live channel's WebSocket, through the whole application."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings

from hosts import figures
from live import channel, consumer
from tests.unit.live.sockets import Socket
from tests.unit.world import World
from webvirt.asgi import application

pytestmark = pytest.mark.usefixtures("redis_server")


def socket_of(world: World, name: str, origin: str | None = "http://testserver") -> Socket:
    client = world.client(name)
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    headers = [(b"host", b"testserver")]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    if cookie is not None:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie.value}".encode()))
    return Socket(application, "/ws/live/", headers)


def talk(world: World, name: str, conversation: Callable[[Socket], Awaitable[None]]) -> None:
    """Open a socket, have the conversation after its first message, and close it."""

    async def run() -> None:
        socket = await sync_to_async(socket_of)(world, name)
        assert await socket.connect()
        try:
            assert (await socket.hear())["changes"] == []
            await conversation(socket)
        finally:
            await socket.leave()

    async_to_sync(run)()


async def announce(type: str, id: int, change: str = "changed") -> None:
    await sync_to_async(channel.announce)(type, id, change)


async def next_changes(socket: Socket) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = await socket.hear()
        if "first" in message:
            return message


def test_a_change_arrives_with_its_number(world: World, redis_server: redis.Redis) -> None:
    async def conversation(socket: Socket) -> None:
        await announce("instance", world.instance.pk)
        message = await next_changes(socket)
        assert message["changes"] == [{"type": "instance", "id": world.instance.pk, "change": "changed"}]
        assert message["first"] <= message["seq"] == int(str(redis_server.get(f"{channel.STREAM}:seq")))
        await announce("host", world.host.pk)
        assert (await next_changes(socket))["first"] == message["seq"] + 1

    talk(world, "viewer", conversation)


def test_a_stranger_hears_numbers_and_nothing_else(world: World) -> None:
    async def conversation(socket: Socket) -> None:
        await announce("instance", world.instance.pk)
        assert (await next_changes(socket))["changes"] == []

    talk(world, "stranger", conversation)


def test_many_changes_at_once_come_in_few_messages(world: World) -> None:
    def many() -> None:
        for _ in range(200):
            channel.announce("instance", world.instance.pk, "changed")

    async def conversation(socket: Socket) -> None:
        await sync_to_async(many)()
        messages = [await next_changes(socket)]
        while messages[-1]["seq"] < 200:
            messages.append(await next_changes(socket))
        assert len(messages) < 20

    talk(world, "viewer", conversation)


def test_figures_come_as_values_for_what_was_subscribed_to(world: World) -> None:
    async def conversation(socket: Socket) -> None:
        await sync_to_async(figures.store)("instance", {world.instance.pk: {"cpu_percent": 12.5}})
        await socket.say(json.dumps({"subscribe": {"instance": [world.instance.pk, 999], "nothing": [1]}}))
        first = await socket.hear()
        assert first["figures"]["instance"] == {str(world.instance.pk): {"cpu_percent": 12.5}}
        await announce("figures", world.host.pk)
        while "figures" not in (message := await socket.hear()):
            pass
        assert message["figures"]["instance"]

    talk(world, "viewer", conversation)


@pytest.mark.parametrize("text", ["[]", "{}", '{"subscribe": 5}', '{"subscribe": {"instance": ["x", null, {}]}}', "7"])
def test_nonsense_from_a_page_is_no_trouble(world: World, text: str) -> None:
    async def conversation(socket: Socket) -> None:
        await socket.say(text)
        await announce("instance", world.instance.pk)
        assert (await next_changes(socket))["changes"]

    talk(world, "viewer", conversation)


def test_a_socket_closes_when_its_person_signs_out(world: World) -> None:
    async def run() -> None:
        client = await sync_to_async(world.client)("viewer")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        headers = [
            (b"host", b"testserver"),
            (b"origin", b"http://testserver"),
            (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()),
        ]
        socket = Socket(application, "/ws/live/", headers)
        assert await socket.connect()
        await socket.hear()
        await sync_to_async(client.post)("/logout/")
        await announce("instance", world.instance.pk)
        assert await socket.closed() == 4401

    async_to_sync(run)()


def test_an_idle_socket_says_that_it_is_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "HEARTBEAT_SECONDS", 0.1)

    async def conversation(socket: Socket) -> None:
        message = await socket.hear()
        assert (message["changes"], "first" in message) == ([], False)

    talk(world, "viewer", conversation)


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("anonymous", "http://testserver"),
        ("viewer", "http://evil.example"),
        ("viewer", "http://testserver.evil.example"),
        ("viewer", "null"),
        ("viewer", None),
    ],
)
def test_strangers_and_other_sites_are_not_let_in(world: World, name: str, origin: str | None) -> None:
    async def run() -> None:
        socket = await sync_to_async(socket_of)(world, name, origin)
        assert not await socket.connect()

    async_to_sync(run)()


def test_without_redis_a_change_is_made_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(channel, "client", away)
    channel.announce("instance", world.instance.pk, "changed")
    assert "was not announced" in caplog.text


def test_the_stream_is_kept_short_and_its_numbers_have_no_gap(redis_server: redis.Redis) -> None:
    numbers = [channel.append(redis_server, "instance", 1, "changed") for _ in range(50)]
    assert numbers == list(range(1, 51))


def cut_off(redis_server: redis.Redis) -> None:
    """Break every connection to Redis but the one that asks."""
    redis_server.client_kill_filter(_type="normal", skipme=True)


def test_what_changes_while_redis_is_not_heard_is_told_after(world: World, redis_server: redis.Redis) -> None:
    async def conversation(socket: Socket) -> None:
        await sync_to_async(cut_off)(redis_server)
        await announce("instance", world.instance.pk)
        assert (await next_changes(socket))["changes"] == [
            {"type": "instance", "id": world.instance.pk, "change": "changed"}
        ]

    talk(world, "viewer", conversation)


def test_a_redis_that_comes_back_empty_has_every_page_begin_anew(world: World, redis_server: redis.Redis) -> None:
    async def run() -> None:
        socket = await sync_to_async(socket_of)(world, "viewer")
        assert await socket.connect()
        await socket.hear()
        for _ in range(3):
            await announce("instance", world.instance.pk)
        await next_changes(socket)
        await sync_to_async(redis_server.flushall)()
        await sync_to_async(cut_off)(redis_server)
        assert await socket.closed() == 1012

    async_to_sync(run)()
