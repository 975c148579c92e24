"""What happens on a host, kept for its page for an hour."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import redis
from django.utils import timezone

from accounts.rights import Ref
from hosts import happenings
from hosts.happenings import Happening
from live.channel import publish
from virt.events import Event

log = logging.getLogger(__name__)

TYPES = {"domain": "instance", "pool": "pool", "network": "network"}


@dataclass(frozen=True)
class Heard:
    """An event and the moment at which it was heard."""

    at: datetime
    event: Event


def heard_now(event: Event) -> Heard:
    return Heard(timezone.now(), event)


def take_in(host_id: int, heard: Iterable[Heard]) -> None:
    """Keep what people have words for."""
    _keep(
        host_id,
        [
            Happening(
                one.at,
                Ref(TYPES[one.event.object_type], host_id, one.event.uuid, one.event.name),
                one.event.detail if one.event.kind == "lifecycle" else one.event.kind,
            )
            for one in heard
            if one.event.object_type in TYPES
        ],
    )


def of_host(host_id: int, word: str) -> None:
    """Keep that the host was connected (`up`), or lost (`lost`)."""
    _keep(host_id, [Happening(timezone.now(), Ref("host", host_id), word)])


def _keep(host_id: int, found: list[Happening]) -> None:
    try:
        if happenings.keep(host_id, found):
            publish("happening", host_id)
    except redis.RedisError as error:
        log.warning("Redis does not answer, what happened is not kept: %s", error)
