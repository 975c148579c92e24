"""Read your own change: a job's last step asks the monitor to look at what it changed.

The request lies on a Redis list of the host; the monitor that holds the host reads just those
objects, commits their rows and answers on a key of the request.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import redis

from accounts.rights import Ref
from webvirt.redis import client

ANSWER_SECONDS = 30
WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Look:
    """One request: which objects to read, and where to answer."""

    nonce: str
    refs: tuple[Ref, ...]


def look_key(host_id: int) -> str:
    return f"webvirt:host:{host_id}:look"


def answer_key(nonce: str) -> str:
    return f"webvirt:look:{nonce}"


def settle(host_id: int, refs: Iterable[Ref], *, timeout: float = WAIT_SECONDS) -> bool:
    """Ask for a look at `refs` and wait until their rows are committed; False when nobody answered in time.

    A volume's Ref stands for its whole pool's list of volumes, as its pool's Ref does.
    """
    look = Look(secrets.token_hex(8), tuple(refs))
    try:
        ask(host_id, look)
        return client().blpop([answer_key(look.nonce)], timeout=timeout) is not None
    except redis.RedisError:
        return False


def ask(host_id: int, look: Look) -> None:
    """Put a request where the monitor that holds the host finds it. Raises redis.RedisError."""
    wanted = [[ref.type, str(ref.uuid) if ref.uuid else "", ref.name] for ref in look.refs]
    client().rpush(look_key(host_id), json.dumps({"nonce": look.nonce, "refs": wanted}))
    client().expire(look_key(host_id), ANSWER_SECONDS)


def parse_look(host_id: int, text: str) -> Look:
    """What the monitor took from the list."""
    found = json.loads(text)
    refs = tuple(Ref(type, host_id, UUID(uuid) if uuid else None, name) for type, uuid, name in found["refs"])
    return Look(found["nonce"], refs)


def answer(look: Look) -> None:
    """Tell the job that the rows are committed. Raises redis.RedisError."""
    with client().pipeline() as pipe:
        pipe.rpush(answer_key(look.nonce), "1")
        pipe.expire(answer_key(look.nonce), ANSWER_SECONDS)
        pipe.execute()
