"""The live channel's WebSocket: /ws/live/, by session cookie, from the same origin only."""

import asyncio
import contextlib
import logging
from typing import Any

import redis
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import DatabaseError

from accounts.models import User
from live.reader import Batch, reader
from live.registry import TYPES
from live.selection import Known, figures_for, for_session, seen_by

log = logging.getLogger(__name__)

MOST_SUBSCRIBED = 1000
HEARTBEAT_SECONDS = 15


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Sends `{"changes": [{"type", "id", "change"}], "seq"}` and, for what the page subscribed to, figures.

    The first message is `{"changes": [], "seq": N}`. A type named `figures` on the stream is the
    monitor's sign that new figures lie in Redis. Code 4401 closes a socket whose user is no longer let in.
    """

    session_key: str
    known: Known
    wanted: dict[str, set[int]]
    queue: asyncio.Queue[Batch]
    sender: asyncio.Task[None]

    async def connect(self) -> None:
        user = self.scope.get("user")
        if not isinstance(user, User):
            await self.close(code=4401)
            return
        self.session_key = self.scope["session"].session_key
        self.known = {}
        self.wanted = {}
        self.queue = reader.listen()
        await self.accept()
        self.sender = asyncio.create_task(self.pass_on())

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "queue"):
            reader.leave(self.queue)
        if hasattr(self, "sender"):
            self.sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.sender

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """`{"subscribe": {"instance": [7, 9]}}` replaces what figures are sent."""
        asked = content.get("subscribe") if isinstance(content, dict) else None
        if not isinstance(asked, dict):
            return
        self.wanted = {
            type: {id for id in ids[:MOST_SUBSCRIBED] if isinstance(id, int)}
            for type, ids in asked.items()
            if type in TYPES and isinstance(ids, list)
        }
        await self.send_figures()

    async def pass_on(self) -> None:
        """Send until the socket closes; one that can send no more is closed, so that its page knows."""
        try:
            await self.tell()
        except (redis.RedisError, DatabaseError, TimeoutError) as error:
            log.warning("A live socket ends: %s", error)
            await self.close(code=1011)

    async def tell(self) -> None:
        seq = await reader.told_after()
        self.known = await database_sync_to_async(seen_by)(self.session_key)
        await self.send_json({"changes": [], "seq": seq})
        while True:
            batch = await self.next_batch(seq)
            if batch.anew:
                await self.close(code=1012)
                return
            seq = batch.seq
            figures = bool(batch.by_type().get("figures"))
            told = await database_sync_to_async(for_session)(self.session_key, batch, self.known)
            if told is None:
                await self.close(code=4401)
                return
            await self.send_batch(batch, told)
            if figures:
                await self.send_figures()

    async def next_batch(self, seq: int) -> Batch:
        """The next batch, or an empty one after a while, by which the page knows that it still hears."""
        try:
            return await asyncio.wait_for(self.queue.get(), HEARTBEAT_SECONDS)
        except TimeoutError:
            return Batch(seq=seq)

    async def send_batch(self, batch: Batch, told: list[dict[str, str | int]]) -> None:
        # An empty batch still carries its seq, or the page would take the next one for a gap.
        first = {"first": batch.first} if batch.first else {}
        await self.send_json({"changes": told, **first, "seq": batch.seq})

    async def send_figures(self) -> None:
        if self.wanted:
            found = await database_sync_to_async(figures_for)(self.session_key, self.wanted)
            await self.send_json({"figures": found})
