"""What happened on a host in the last hour, in Redis. This file alone knows the keys; the monitor alone writes.

An entry names its object by type and UUID, so that a reader is told only of what they may see. It is kept as a
word, and told in the reader's language.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import redis
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.rights import Ref, most
from hosts.models import Host
from tasks.models import Task
from webvirt.redis import client

log = logging.getLogger(__name__)

KEPT = timedelta(hours=1)
# A host that starts and stops thousands of guests an hour tells of the last of them.
MOST = 1000
MOST_SHOWN = 200

WORDS: dict[str, str | Promise] = {
    "host up": _("Connected"),
    "host lost": _("Connection lost"),
    "instance defined": _("%(name)s defined"),
    "instance undefined": _("%(name)s deleted"),
    "instance started": _("%(name)s started"),
    "instance suspended": _("%(name)s paused"),
    "instance resumed": _("%(name)s resumed"),
    "instance stopped": _("%(name)s stopped"),
    "instance shutdown": _("%(name)s is shutting down"),
    "instance pmsuspended": _("%(name)s went to sleep"),
    "instance crashed": _("%(name)s crashed"),
    "instance reboot": _("%(name)s rebooted"),
    "instance io-error": _("%(name)s: a disk could not be read or written"),
    "instance watchdog": _("%(name)s: its watchdog barked"),
    "pool defined": _("Pool %(name)s defined"),
    "pool undefined": _("Pool %(name)s removed"),
    "pool started": _("Pool %(name)s started"),
    "pool stopped": _("Pool %(name)s stopped"),
    "network defined": _("Network %(name)s defined"),
    "network undefined": _("Network %(name)s removed"),
    "network started": _("Network %(name)s started"),
    "network stopped": _("Network %(name)s stopped"),
}
ICONS = {"host": "server-2", "instance": "device-desktop", "pool": "database", "network": "network"}


@dataclass(frozen=True)
class Happening:
    """Something that happened at a moment; `word` is the second half of a key of WORDS, the first is its type."""

    at: datetime
    ref: Ref
    word: str

    @property
    def key(self) -> str:
        return f"{self.ref.type} {self.word}"


@dataclass(frozen=True)
class Line:
    """What the page says of it; of a task, the task."""

    at: datetime
    words: str
    kind: str
    task: Task | None = None

    @property
    def icon(self) -> str:
        return ICONS[self.kind]


def stream_of(host_id: int) -> str:
    return f"webvirt:host:{host_id}:happenings"


def keep(host_id: int, happenings: Iterable[Happening]) -> bool:
    """Write those that have words; whether there were any. Raises redis.RedisError."""
    told = [one for one in happenings if one.key in WORDS]
    if not told:
        return False
    oldest = int((timezone.now() - KEPT).timestamp() * 1000)
    with client().pipeline(transaction=False) as pipe:
        for one in told:
            uuid = str(one.ref.uuid) if one.ref.uuid else ""
            entry: Any = {"type": one.ref.type, "uuid": uuid, "name": one.ref.name, "word": one.word}
            pipe.xadd(stream_of(host_id), {**entry, "at": one.at.timestamp()}, maxlen=MOST)
        pipe.xtrim(stream_of(host_id), minid=oldest, approximate=False)
        pipe.expire(stream_of(host_id), KEPT)
        pipe.execute()
    return True


def kept(host_id: int) -> list[Happening]:
    """Those of the last hour, the newest first; none without Redis."""
    oldest = int((timezone.now() - KEPT).timestamp() * 1000)
    try:
        entries: Any = client().xrevrange(stream_of(host_id), min=oldest)
    except redis.RedisError as error:
        log.warning("Redis does not answer, so what happened is not known: %s", error)
        return []
    return [
        Happening(
            at=datetime.fromtimestamp(float(entry["at"]), tz=UTC),
            ref=Ref(entry["type"], host_id, UUID(entry["uuid"]) if entry["uuid"] else None, entry["name"]),
            word=entry["word"],
        )
        for _id, entry in entries
    ]


def lines_of(host: Host, user: Any) -> list[Line]:
    """What happened on the host and was asked of it in the last hour, as far as `user` may see, the newest first."""
    happened = [one for one in kept(host.pk) if one.key in WORDS]
    seen = most(user, [one.ref for one in happened])
    lines = [
        Line(one.at, str(WORDS[one.key]) % {"name": one.ref.name}, one.ref.type)
        for one in happened
        # Whoever sees a guest of the host sees the host.
        if one.ref.type == "host" or one.ref in seen
    ]
    tasks = Task.objects.visible_to(user).filter(host_id=host.pk, created_at__gt=timezone.now() - KEPT)
    lines += [Line(task.created_at, task.title, "task", task) for task in tasks.order_by("-pk")[:MOST_SHOWN]]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:MOST_SHOWN]
