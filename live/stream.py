"""The live channel for programs: what changed, as long as somebody listens, with what they missed in between."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import redis
from channels.db import database_sync_to_async
from django.db import DatabaseError

from live.consumer import HEARTBEAT_SECONDS
from live.reader import Batch, batch_between, reader
from live.selection import Change, Known, for_user, known_to

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """What is told: changes up to the number `seq`. `gap`: there was more, so whatever one knows is to be read anew."""

    seq: int
    changes: list[Change] = field(default_factory=list)
    gap: bool = False


async def follow(who: Callable[[], Any], last: int | None) -> AsyncGenerator[Message]:
    """Tell what the user may see of all that follows the number `last`; None: of all from now on.

    `who` answers who the user is, AnonymousUser once they may not listen any more: it is asked anew at each batch.
    The first message has the number from which on everything is told; one comes every 15 s at least.
    Ends when the user may not listen any more, or Redis or the database is away.
    """
    queue = reader.listen()
    try:
        follower = Follower(who, await reader.told_after())
        async with aclosing(follower.begin(last)) as missed:
            async for message in missed:
                yield message
        async with aclosing(follower.go_on(queue)) as news:
            async for message in news:
                yield message
    except (redis.RedisError, DatabaseError, TimeoutError) as error:
        log.warning("A stream of events ends: %s", error)
    finally:
        reader.leave(queue)


class Follower:
    """How far one listener is, and what they could see until now."""

    def __init__(self, who: Callable[[], Any], seq: int) -> None:
        self.who = who
        self.seq = seq
        self.known: Known = {}

    async def begin(self, last: int | None) -> AsyncGenerator[Message]:
        """What was missed since `last`, else the number to begin with."""
        self.known = await database_sync_to_async(lambda: known_to(self.who()))()
        missed = Batch() if last is None else await batch_between(last, self.seq)
        told = await self.told(missed) if missed else []
        if told is None:
            return
        # Whether somebody could see what is gone by now cannot be asked any more.
        gone = missed is not None and "removed" in missed.changes.values()
        gap = missed is None or (gone and not await self.hears_of_every_removal())
        yield Message(self.seq, [] if gap else told, gap)

    async def go_on(self, queue: asyncio.Queue[Batch]) -> AsyncGenerator[Message]:
        said = time.monotonic()
        while True:
            batch = await next_batch(queue, said + HEARTBEAT_SECONDS - time.monotonic())
            if batch is not None and not batch.anew and batch.seq <= self.seq:
                continue  # told at the beginning
            told = await self.told(batch or Batch())
            if told is None:
                return
            gap = batch is not None and (batch.anew or batch.first > self.seq + 1)
            self.seq = batch.seq if batch is not None else self.seq
            if told or gap or time.monotonic() - said >= HEARTBEAT_SECONDS:
                said = time.monotonic()
                yield Message(self.seq, told, gap)

    async def told(self, batch: Batch) -> list[Change] | None:
        return await database_sync_to_async(lambda: for_user(self.who(), batch, self.known))()

    async def hears_of_every_removal(self) -> bool:
        return bool(await database_sync_to_async(lambda: self.who().is_superuser)())


async def next_batch(queue: asyncio.Queue[Batch], seconds: float) -> Batch | None:
    """The next batch; None when the time is over."""
    try:
        return await asyncio.wait_for(queue.get(), max(seconds, 0))
    except TimeoutError:
        return None
