"""One reader of the stream in each web worker; it gathers for 50 ms and hands batches to the sockets."""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import redis

from live.channel import STREAM
from webvirt.redis import async_client

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.05
RETRY_SECONDS = 1.0
BEGIN_SECONDS = 5.0
# Well below what the client waits for an answer, after which the connection would count as broken.
BLOCK_MS = 2000


@dataclass
class Batch:
    """Changes of one gathering, the last word for each object, in the order they came."""

    first: int = 0
    seq: int = 0
    # Redis came back empty and counts from one: nothing that was known before can be compared with it.
    anew: bool = False
    changes: dict[tuple[str, int], str] = field(default_factory=dict)

    def add(self, seq: int, type: str, id: int, change: str) -> None:
        self.first = self.first or seq
        self.seq = seq
        before = self.changes.pop((type, id), None)
        # Added and then changed within one gathering is still news of a new row.
        self.changes[(type, id)] = "added" if before == "added" and change == "changed" else change

    def by_type(self) -> dict[str, dict[int, str]]:
        grouped: dict[str, dict[int, str]] = defaultdict(dict)
        for (type, id), change in self.changes.items():
            grouped[type][id] = change
        return grouped


class Reader:
    """Reads the stream while anybody listens."""

    def __init__(self) -> None:
        self.listeners: set[asyncio.Queue[Batch]] = set()
        self.task: asyncio.Task[None] | None = None
        self.began = asyncio.Event()

    def listen(self) -> asyncio.Queue[Batch]:
        queue: asyncio.Queue[Batch] = asyncio.Queue(maxsize=200)
        self.listeners.add(queue)
        if self.task is None or self.task.done():
            self.began = asyncio.Event()
            self.task = asyncio.get_running_loop().create_task(self.run())
        return queue

    async def told_after(self) -> int:
        """The number after which everything is told to who listens already. Raises TimeoutError, redis.RedisError."""
        await asyncio.wait_for(self.began.wait(), BEGIN_SECONDS)
        return await current_seq()

    def leave(self, queue: asyncio.Queue[Batch]) -> None:
        self.listeners.discard(queue)
        if not self.listeners and self.task:
            self.task.cancel()
            self.task = None

    async def run(self) -> None:
        """Pass on all that follows what was newest at the beginning; a Redis that is away meanwhile loses nothing."""
        last: int | None = None
        connection = async_client()
        try:
            while True:
                try:
                    last = await self.begin(connection, last)
                    while True:
                        last = await self.pass_on(connection, last)
                except redis.RedisError as error:
                    log.warning("The live stream cannot be read: %s", error)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            await connection.aclose()

    async def begin(self, connection: "redis.asyncio.Redis", last: int | None) -> int:
        """Where to read on; Redis keeps nothing over its own restart, and counts from one then."""
        now = await newest(connection)
        self.began.set()
        if last is None or now < last:
            if last is not None:
                self.hand_out(Batch(anew=True))
            return now
        return last

    async def pass_on(self, connection: "redis.asyncio.Redis", last: int) -> int:
        """Wait for news, gather what follows at once, hand it out; returns the last entry's number."""
        entries = entries_of(await connection.xread({STREAM: f"{last}-0"}, block=BLOCK_MS))
        if not entries:
            return last
        await asyncio.sleep(GATHER_SECONDS)
        batch = Batch()
        for entry_id, values in entries + entries_of(await connection.xread({STREAM: entries[-1][0]})):
            last = int(entry_id.split("-")[0])
            batch.add(last, values["type"], int(values["id"]), values["change"])
        self.hand_out(batch)
        return last

    def hand_out(self, batch: Batch) -> None:
        for queue in tuple(self.listeners):
            if queue.full():
                # A socket this far behind is told so by the gap in seq that its page will see.
                queue.get_nowait()
            queue.put_nowait(batch)


def entries_of(answer: Any) -> list[tuple[str, dict[str, str]]]:
    """The entries of the one stream that XREAD was asked for."""
    return [(entry_id, values) for _name, entries in answer for entry_id, values in entries]


reader = Reader()


async def current_seq() -> int:
    """The seq of the newest entry, 0 on an empty stream."""
    connection = async_client()
    try:
        return await newest(connection)
    finally:
        await connection.aclose()


async def batch_between(after: int, until: int) -> Batch | None:
    """The entries that follow `after`, as one batch; None where some of them are not kept any more, or never were."""
    if after > until:
        return None
    connection = async_client()
    try:
        batch = Batch()
        found: Any = await connection.xrange(STREAM, f"{after + 1}-0", f"{until}-0")
        for entry_id, values in found:
            batch.add(int(entry_id.split("-")[0]), values["type"], int(values["id"]), values["change"])
    finally:
        await connection.aclose()
    return batch if after == until or batch.first == after + 1 else None


async def newest(connection: "redis.asyncio.Redis") -> int:
    return int(await connection.get(f"{STREAM}:seq") or 0)
