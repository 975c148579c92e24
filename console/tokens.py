"""Console tokens: 30 seconds to open one display, once.

Only a token's SHA-256 is kept, in Redis, with what the token is good for.
"""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone

from instances.models import Instance
from webvirt.redis import client

LIFE = timedelta(seconds=30)


class Kind(StrEnum):
    """What of a guest is opened."""

    VNC = "vnc"


@dataclass(frozen=True)
class Token:
    """A new token; its text is given out this once."""

    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Claim:
    """What a token is good for. `session` is the hash of the session that asked for it, None for an API token."""

    instance_id: int
    host_id: int
    uuid: str
    kind: str
    user_id: int
    session: str | None


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(token: str) -> str:
    return f"webvirt:console:token:{digest_of(token)}"


def mint(*, instance: Instance, kind: Kind, user: Any, session_key: str | None) -> Token:
    """A token for the display of `instance`; rights are the caller's to check. Raises redis.RedisError."""
    token = secrets.token_urlsafe(32)
    claim = Claim(
        instance_id=instance.pk,
        host_id=instance.host_id,
        uuid=str(instance.uuid),
        kind=kind,
        user_id=user.pk,
        session=digest_of(session_key) if session_key else None,
    )
    expires_at = timezone.now() + LIFE
    client().set(_key(token), json.dumps(asdict(claim)), ex=LIFE)
    return Token(token, expires_at)


def redeem(token: str) -> Claim | None:
    """What the token is good for, and the end of it; None when it is unknown, used or late. Raises redis.RedisError."""
    found = client().getdel(_key(token))
    return Claim(**json.loads(found)) if isinstance(found, str) else None
