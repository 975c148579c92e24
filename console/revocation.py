"""Telling open consoles that a user's sessions or rights are no longer what they were."""

import logging
import time
from collections.abc import Callable

import redis
from django.db import transaction

from webvirt.redis import client

log = logging.getLogger(__name__)

# What no message tells of (a session that runs out, a row changed by hand, Redis away) is seen within this time.
LOOK_SECONDS = 30.0


def channel(user_id: int) -> str:
    return f"webvirt:revoked:{user_id}"


def revoke(user_id: int) -> None:
    """Have the user's open consoles look again, once the running transaction is committed."""
    transaction.on_commit(lambda: _tell(user_id))


def _tell(user_id: int) -> None:
    try:
        client().publish(channel(user_id), "look")
    except redis.RedisError:
        log.warning("Redis does not answer: open consoles of user %s look again by themselves", user_id)


def wait_for_end(user_id: int, still_allowed: Callable[[], bool]) -> None:
    """Return when `still_allowed` says no; it is asked at each message and every 30 s."""
    while True:
        try:
            with client().pubsub(ignore_subscribe_messages=True) as told:  # type: ignore[no-untyped-call]
                told.subscribe(channel(user_id))
                while still_allowed():
                    told.get_message(timeout=LOOK_SECONDS)
                return
        except redis.RedisError:
            log.warning("Redis does not answer: an open console looks by itself")
            time.sleep(LOOK_SECONDS)
            if not still_allowed():
                return
