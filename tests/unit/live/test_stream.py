"""The live channel for programs: server-sent events of what one may see, and word of what was missed."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from accounts.models import ApiToken, Grant, User
from instances.models import Instance
from live import channel, reader, stream
from tests.unit.live.sockets import PATIENCE
from tests.unit.world import World
from webvirt.asgi import application

# The stream reads from threads of its own.
pytestmark = [pytest.mark.usefixtures("redis_server"), pytest.mark.django_db(transaction=True)]

MOST_BEATS = 50  # a busy machine may hear of a change a few beats later


class Listener(ApplicationCommunicator):
    """GET events, read event by event."""

    def __init__(self, token: str, last: int | None = None) -> None:
        headers = [(b"host", b"testserver"), (b"authorization", f"Bearer {token}".encode())]
        if last is not None:
            headers.append((b"last-event-id", str(last).encode()))
        path = "/api/v1/events"
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
        super().__init__(application, scope)
        self.text = ""

    async def begin(self) -> dict[str, Any]:
        await self.send_input({"type": "http.request", "body": b""})
        start = await self.receive_output(PATIENCE)
        assert start["status"] == 200
        assert dict(start["headers"])[b"Content-Type"] == b"text/event-stream"
        return await self.event()

    async def event(self) -> dict[str, Any]:
        """The next event's fields; `data` is read."""
        while "\n\n" not in self.text:
            part = await self.receive_output(PATIENCE)
            assert part.get("more_body"), "the stream ended"
            self.text += part["body"].decode()
        one, self.text = self.text.split("\n\n", 1)
        fields: dict[str, Any] = dict(line.split(": ", 1) for line in one.split("\n"))
        return fields | ({"data": json.loads(fields["data"])} if "data" in fields else {})

    async def ended(self) -> bool:
        """Read on to the end."""
        while (await self.receive_output(PATIENCE)).get("more_body"):
            pass
        return True

    async def leave(self) -> None:
        await self.send_input({"type": "http.disconnect"})
        await self.wait(PATIENCE)


def listen(token: str, conversation: Callable[[Listener, dict[str, Any]], Awaitable[None]], last: int | None = None):
    """Open the stream, have the conversation after its first event, and go away."""

    async def run() -> None:
        before = set(reader.reader.listeners)
        listener = Listener(token, last)
        first = await listener.begin()
        try:
            await conversation(listener, first)
        finally:
            await listener.leave()
        assert reader.reader.listeners <= before

    async_to_sync(run)()


async def announce(type: str, id: int, change: str = "changed") -> None:
    await sync_to_async(channel.announce)(type, id, change)


def changed(world: World, change: str = "changed") -> dict[str, Any]:
    return {"type": "instance", "id": world.instance.pk, "change": change}


def test_what_changes_is_told_with_its_number(world: World) -> None:
    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        assert first["data"] == {"changes": [], "seq": int(first["id"])}
        await announce("instance", world.instance.pk)
        event = await listener.event()
        assert "event" not in event
        assert event["data"] == {"changes": [changed(world)], "seq": int(first["id"]) + 1}

    listen(world.token("viewer", ApiToken.Scope.READ), conversation)


def test_what_one_may_not_see_is_not_told(world: World) -> None:
    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        await announce("host", world.other_host.pk)
        await announce("figures", 0)
        await announce("instance", world.instance.pk)
        assert (await listener.event())["data"]["changes"] == [changed(world)]

    listen(world.token("viewer"), conversation)


def test_what_was_missed_is_told_first(world: World) -> None:
    for _ in range(3):
        channel.announce("instance", world.instance.pk, "changed")
    channel.announce("host", world.other_host.pk, "changed")

    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        assert "event" not in first
        assert first["data"] == {"changes": [changed(world)], "seq": 4}

    listen(world.token("viewer"), conversation, last=1)


@pytest.mark.parametrize("last", [1, 10**9])
def test_what_is_not_known_any_more_is_a_gap(world: World, redis_server: redis.Redis, last: int) -> None:
    for _ in range(5):
        channel.announce("instance", world.instance.pk, "changed")
    redis_server.xtrim(channel.STREAM, maxlen=2, approximate=False)

    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        assert first["event"] == "gap"
        assert first["data"] == {"changes": [], "seq": 5}
        await announce("instance", world.instance.pk)
        assert (await listener.event())["data"] == {"changes": [changed(world)], "seq": 6}

    listen(world.token("viewer"), conversation, last=last)


@pytest.mark.parametrize(("name", "event"), [("viewer", "gap"), ("admin", None)])
def test_what_was_removed_meanwhile_is_a_gap_but_for_who_sees_everything(
    world: World, name: str, event: str | None
) -> None:
    channel.announce("instance", world.instance.pk, "removed")

    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        assert first.get("event") == event
        assert first["data"]["changes"] == ([] if event else [changed(world, "removed")])

    listen(world.token(name), conversation, last=0)


def test_the_removal_of_what_could_be_seen_is_told(world: World) -> None:
    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        told = changed(world, "removed")
        await sync_to_async(Instance.objects.all().delete)()
        await announce("instance", told["id"], "removed")
        assert (await listener.event())["data"]["changes"] == [told]

    listen(world.token("viewer"), conversation)


def test_a_listener_who_is_too_slow_hears_of_the_gap(world: World) -> None:
    before = set(reader.reader.listeners)

    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        (queue,) = reader.reader.listeners - before
        late = reader.Batch()
        late.add(int(first["id"]) + 5, "instance", world.instance.pk, "changed")
        queue.put_nowait(late)
        event = await listener.event()
        assert event["event"] == "gap"
        assert event["data"]["seq"] == int(first["id"]) + 5

    listen(world.token("viewer"), conversation)


def test_in_quiet_times_a_comment_carries_the_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.2)

    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        await announce("figures", 0)
        beats = [await listener.event()]
        while len(beats) < MOST_BEATS and beats[-1]["id"] == first["id"]:
            beats.append(await listener.event())
        assert all("data" not in beat and "" in beat for beat in beats)
        assert int(beats[-1]["id"]) == int(first["id"]) + 1

    listen(world.token("viewer"), conversation)


@pytest.mark.parametrize("how", ["token", "user", "grant"])
def test_lost_rights_are_lost_at_once(world: World, how: str) -> None:
    def lose() -> None:
        if how == "token":
            ApiToken.objects.all().delete()
        elif how == "user":
            User.objects.filter(username="viewer").update(is_active=False)
        else:
            Grant.objects.filter(user=world.viewer).delete()

    async def conversation(listener: Listener, first: dict[str, Any]) -> None:
        await sync_to_async(lose)()
        await announce("instance", world.instance.pk)
        if how == "grant":
            # What they saw is gone for them; they may go on listening.
            assert (await listener.event())["data"]["changes"] == [changed(world, "removed")]
        else:
            assert await listener.ended()

    listen(world.token("viewer"), conversation)


def test_who_asks_wrongly_hears_a_problem(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().get("/api/v1/events").status_code == 401
    viewer = world.client("viewer")
    assert viewer.get("/api/v1/events", headers={"Accept": "application/json"}).status_code == 406
    for wrong in ("x", "-1", "9" * 30, "٣"):
        answer = viewer.get("/api/v1/events", headers={"Last-Event-ID": wrong})
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["Last-Event-ID"]


def test_without_redis_it_is_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def get(self, key: str) -> None:
            raise redis.ConnectionError("away")

    monkeypatch.setattr("api.events.client", Away)
    answer = world.client("viewer").get("/api/v1/events")
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
