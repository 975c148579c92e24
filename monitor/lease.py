"""The leases on hosts: a monitor reads and writes a host only while it holds that host's."""

import logging
import time
from collections.abc import Collection, Iterable
from typing import Any

import redis

from monitor.members import me
from webvirt.redis import client

log = logging.getLogger(__name__)

SECONDS = 10

# Take or renew each where it is free, ours, or still that of a process known to be dead; the holder of each.
TAKE = """
local dead = {}
for i = 3, #ARGV do dead[ARGV[i]] = true end
local holders = {}
for i, key in ipairs(KEYS) do
  local holder = redis.call('GET', key)
  if not holder or holder == ARGV[1] or dead[holder] then
    redis.call('SET', key, ARGV[1], 'EX', ARGV[2])
    holder = ARGV[1]
  end
  holders[i] = holder
end
return holders
"""
GIVE_BACK = """
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end
end
"""


def lease_key(host_id: int) -> str:
    return f"webvirt:host:{host_id}:monitor"


class Leases:
    """Those of this monitor, renewed all by one call. Times are monotonic."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}
        self.others: set[str] = set()

    def take(self, host_ids: Collection[int], dead: Iterable[str] = ()) -> set[int]:
        """Take or renew these; those that are ours now. Raises redis.RedisError.

        `others` are then the holders of the rest; `dead` are holders that no longer live.
        """
        ids = list(host_ids)
        self.others = set()
        if not ids:
            return set()
        asked = time.monotonic()
        holders: Any = client().eval(TAKE, len(ids), *map(lease_key, ids), me(), SECONDS, *dead)
        ours = set()
        for host_id, holder in zip(ids, holders, strict=True):
            if holder == me():
                ours.add(host_id)
                self._until[host_id] = asked + SECONDS
            else:
                self.others.add(holder)
                self._until.pop(host_id, None)
        return ours

    def extend(self) -> None:
        """Redis is away, for every monitor alike: nobody else can have taken what was still held.

        Where it is away for this one alone, the fence keeps it from writing what another took.
        """
        now = time.monotonic()
        self._until = {host_id: now + SECONDS for host_id, until in self._until.items() if now < until}

    def is_held(self, host_id: int) -> bool:
        """Whether it is surely ours now: false in a process that was stopped for longer than a lease lasts."""
        return time.monotonic() < self._until.get(host_id, 0.0)

    @property
    def held(self) -> set[int]:
        return {host_id for host_id in list(self._until) if self.is_held(host_id)}

    def give_back(self, host_ids: Collection[int]) -> None:
        """From here on they are not ours, whether Redis hears of it or not."""
        ids = [host_id for host_id in host_ids if self._until.pop(host_id, None)]
        if not ids:
            return
        try:
            client().eval(GIVE_BACK, len(ids), *map(lease_key, ids), me())
        except redis.RedisError as error:
            log.warning("Redis does not answer; the leases run out by themselves: %s", error)
