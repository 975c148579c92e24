"""The monitors there are: each says every two seconds that it lives, and is gone ten seconds after its last word."""

import logging
import os
import time
from functools import cache
from typing import Any, cast

import redis

from webvirt.processes import Process, is_dead, signature
from webvirt.redis import client

log = logging.getLogger(__name__)

KEY = "webvirt:monitors"
BEAT_SECONDS = 2.0
GONE_SECONDS = 10
# In two beats each of the others has said again that it lives.
PATIENCE_SECONDS = 2 * BEAT_SECONDS

# By Redis' own clock, since those of two machines differ.
BEAT = """
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
for i = 3, #ARGV do redis.call('ZREM', KEYS[1], ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at - ARGV[2] * 1000)
local new = redis.call('ZADD', KEYS[1], at, ARGV[1])
return {new, redis.call('ZRANGE', KEYS[1], 0, -1)}
"""


@cache
def me() -> str:
    """This process among all monitors of all machines."""
    found = Process.look(os.getpid())
    assert found is not None  # noqa: S101 - a process always finds itself
    return signature(found)


class Members:
    """This monitor among the others."""

    def __init__(self) -> None:
        self.living: set[str] = set()
        self.dead: set[str] = set()
        self._known = False
        self._patient_until = 0.0

    def beat(self) -> None:
        """Say that this one lives, and learn who else does. Raises redis.RedisError.

        A process of this machine that is no more is not waited for.
        """
        found: Any = client().eval(BEAT, 1, KEY, me(), GONE_SECONDS, *self.dead)
        new, members = cast("tuple[int, list[str]]", found)
        if new and self._known:
            log.warning("The other monitors had lost sight of this one")
            self._patient_until = time.monotonic() + PATIENCE_SECONDS
        self._known = True
        self.dead = {member for member in members if is_dead(member)}
        living = set(members) - self.dead
        if living != self.living:
            log.info("Monitors that share the hosts: %s", len(living))
        self.living = living

    @property
    def is_settled(self) -> bool:
        """Whether the others are known. They are not where Redis came back empty, or this one stood still."""
        return time.monotonic() >= self._patient_until

    def leave(self) -> None:
        """Have the others take over at once."""
        try:
            client().zrem(KEY, me())
        except redis.RedisError as error:
            log.warning("Redis does not answer; the others will miss this monitor by themselves: %s", error)
