"""The lease on all hosts: two monitors never write the same rows."""

import logging
import os
import time
from pathlib import Path

import redis

from webvirt.processes import Process
from webvirt.redis import client

log = logging.getLogger(__name__)

KEY = "webvirt:monitor:lease"
SECONDS = 10
RENEW_SECONDS = 2.0

# Take the lease where it is free, ours, or still the holder's that was found dead.
TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
GIVE_BACK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def _machine() -> str:
    """Where process numbers mean the same: this boot and this PID namespace."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"


class Lease:
    """Held by one monitor at a time. Times are monotonic."""

    def __init__(self) -> None:
        me = Process.look(os.getpid())
        self._me = f"{_machine()}|{os.getpid()}|{me.started if me else 0}"
        self._until = 0.0

    def take(self) -> bool:
        """Take or renew it; whether it is ours. Raises redis.RedisError."""
        asked = time.monotonic()
        holder = str(client().get(KEY) or "")
        dead = holder if self._is_dead(holder) else ""
        ours = bool(client().eval(TAKE, 1, KEY, self._me, SECONDS, dead))
        self._until = asked + SECONDS if ours else 0.0
        return ours

    def _is_dead(self, holder: str) -> bool:
        """Whether the holder was a process of this machine that is no more: it need not be waited out."""
        machine, _, rest = holder.partition("|")
        if machine != _machine():
            return False
        pid, _, started = rest.partition("|")
        found = Process.look(int(pid))
        return found is None or found.ended or found.started != int(started)

    def extend(self) -> None:
        """Redis is away, for every monitor alike, so nobody else can have taken it."""
        self._until = time.monotonic() + SECONDS

    def is_held(self) -> bool:
        """Whether it is surely ours now: false in a process that was stopped for longer than the lease lasts."""
        return time.monotonic() < self._until

    def give_back(self) -> None:
        try:
            client().eval(GIVE_BACK, 1, KEY, self._me)
        except redis.RedisError as error:
            log.warning("Redis does not answer; the lease runs out by itself: %s", error)
