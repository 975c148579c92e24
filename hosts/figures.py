"""Figures: the latest values and a short history, in Redis. This file alone knows their keys.

A value is a float or None (unknown). History is a list a minute long in 5 s steps, and an hour in
one-minute steps, oldest first; what was not measured is None.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import redis

from webvirt.redis import client

log = logging.getLogger(__name__)

Values = Mapping[str, float | None]

LATEST_SECONDS = 20  # older than this is not "now" any more, and is not shown
HOUR_POINTS = 60
HOUR_SECONDS = 3600
SETTLED_SECONDS = 10  # a minute that is over is written with the first values of the next


def latest_key(type: str, id: int) -> str:
    return f"webvirt:figures:{type}:{id}:now"


def hour_key(type: str, id: int) -> str:
    return f"webvirt:figures:{type}:{id}:hour"


def store(type: str, values: Mapping[int, Values], *, minute: int | None = None) -> None:
    """Keep the latest values of many objects; with `minute` (since the epoch) a point of the hour too."""
    with client().pipeline(transaction=False) as pipe:
        for id, figures in values.items():
            pipe.set(latest_key(type, id), json.dumps(figures), ex=LATEST_SECONDS)
            if minute is not None:
                pipe.rpush(hour_key(type, id), json.dumps([minute, figures]))
                pipe.ltrim(hour_key(type, id), -HOUR_POINTS, -1)
                pipe.expire(hour_key(type, id), HOUR_SECONDS)
        pipe.execute()


def latest(type: str, ids: Iterable[int]) -> dict[int, dict[str, float | None]]:
    """The latest values of those objects that have any, in one call to Redis; none without Redis."""
    wanted = list(ids)
    if not wanted:
        return {}
    try:
        found = cast("list[str | None]", client().mget([latest_key(type, id) for id in wanted]))
    except redis.RedisError as error:
        log.warning("Redis does not answer, so figures are not known: %s", error)
        return {}
    return {id: json.loads(raw) for id, raw in zip(wanted, found, strict=True) if raw}


def hour(type: str, ids: Iterable[int]) -> dict[int, list[tuple[int, dict[str, float | None]]]]:
    """Up to 60 points [minute since the epoch, values] of each object, oldest first, in one round trip.

    None without Redis.
    """
    wanted = list(ids)
    try:
        with client().pipeline(transaction=False) as pipe:
            for id in wanted:
                pipe.lrange(hour_key(type, id), 0, -1)
            lists: list[Any] = pipe.execute()
    except redis.RedisError as error:
        log.warning("Redis does not answer, so figures are not known: %s", error)
        return {}
    return {id: [tuple(json.loads(raw)) for raw in points] for id, points in zip(wanted, lists, strict=True)}


def line(
    points: list[tuple[int, dict[str, float | None]]],
    name: str,
    now: datetime,
    latest: Mapping[str, float | None] | None = None,
) -> list[float | None]:
    """One figure's last hour, a value for each minute, the running one last; None where none was measured.

    A minute has no point of its own before it is over and written: `latest` stands for it.
    """
    if not points and not latest:
        return [None] * HOUR_POINTS
    known = {minute: values.get(name) for minute, values in points}
    last = int(now.timestamp()) // 60
    for minute in (last, last - 1) if now.second < SETTLED_SECONDS else (last,):
        known.setdefault(minute, (latest or {}).get(name))
    return [known.get(minute) for minute in range(last - HOUR_POINTS + 1, last + 1)]


def forget(type: str, ids: Iterable[int]) -> None:
    """Drop the figures of objects that are gone."""
    keys = [key for id in ids for key in (latest_key(type, id), hour_key(type, id))]
    if keys:
        client().delete(*keys)
