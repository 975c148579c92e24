"""Publishing: what changed goes onto one Redis stream that every web worker reads.

An entry's id is `<seq>-0`: seq is counted in Redis by the same script that appends, so that no two
entries share a number and none is missing.
"""

import logging
from typing import Any

import redis
from django.db import transaction

from webvirt.redis import client

log = logging.getLogger(__name__)

STREAM = "webvirt:live"
KEPT = 10_000

APPEND = """
local seq = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], seq .. '-0', 'type', ARGV[2], 'id', ARGV[3], 'change', ARGV[4])
return seq
"""


def publish(type: str, id: int, change: str = "changed") -> None:
    """Tell every open page, after the running transaction commits, that an object changed.

    `change` is added, changed or removed. Without Redis the hint is lost and the page catches up
    at its next reconnect; the database stays the truth, so nothing is raised.
    """
    transaction.on_commit(lambda: announce(type, id, change))


def announce(type: str, id: int, change: str) -> None:
    """Put the hint on the stream now."""
    try:
        append(client(), type, id, change)
    except redis.RedisError:
        log.warning("Redis does not answer: %s %s %s was not announced", type, id, change)


def append(connection: Any, type: str, id: int, change: str) -> int:
    """Append one entry and return its seq. Raises redis.RedisError."""
    return int(connection.eval(APPEND, 2, STREAM, f"{STREAM}:seq", KEPT, type, id, change))
