"""Asking a host what rows cannot answer: a job on `quick`, its answer awaited on a Redis key.

One question is in flight at a time, however many ask it, and its answer is shared and kept 2 s; a failure only so long
that all who wait hear of it: whoever mends something and asks again is answered anew.
"""

import json
import logging
import time
from typing import Any

import redis
from celery import current_app as celery_app
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from kombu.exceptions import OperationalError

from tasks.errors import HostAway, Refused
from tasks.registry import QUESTIONS
from tasks.services import digest_of
from virt.errors import VirtError
from webvirt.redis import client
from webvirt.sentences import blank

log = logging.getLogger(__name__)

KEPT_MS = 2000
FAILURE_MS = 500
LOOK_SECONDS = 0.02
NO_ANSWER = gettext_lazy("The host did not answer in time. Try again in a moment.")


def ask(host_id: int, name: str, arguments: dict[str, Any], *, timeout: float = 3.0) -> Any:
    """Ask and wait at most `timeout` s; the caller has looked that the host is up.

    Raises HostAway (503) when time is over or the host cannot be reached, Refused (409) when the
    host answers that it cannot be had.
    """
    key = f"webvirt:ask:{digest_of([host_id, name, arguments])[:32]}"
    try:
        found = wait_for_answer(key, host_id, name, arguments, timeout)
    except (OperationalError, redis.RedisError):
        raise HostAway(_("Webvirt's queue does not answer. `manage.py doctor` says what is wrong."))
    if found is None:
        raise HostAway(NO_ANSWER)
    if "answer" in found:
        return found["answer"]
    kind = HostAway if found["away"] else Refused
    words = [_(found[part]) % found["params"] for part in ("detail", "hint") if found[part]]
    raise kind(blank().join(words), title=_(found["title"]))


def wait_for_answer(
    key: str, host_id: int, name: str, arguments: dict[str, Any], timeout: float
) -> dict[str, Any] | None:
    deadline = time.monotonic() + timeout
    while True:
        raw = client().get(key)
        if raw:
            found: dict[str, Any] = json.loads(raw)
            return found
        if client().set(f"{key}:asked", "1", nx=True, px=int(timeout * 1000)):
            celery_app.send_task(
                "tasks.answer", (key, host_id, name, arguments), queue="quick", expires=timeout, retry=False
            )
        if time.monotonic() >= deadline:
            return None
        time.sleep(LOOK_SECONDS)


def answer(key: str, host_id: int, name: str, arguments: dict[str, Any]) -> None:
    """What the worker does: answer, or say in words why not."""
    kept = KEPT_MS
    try:
        found: dict[str, Any] = {"answer": QUESTIONS[name](host_id, arguments)}
    except VirtError as error:
        away = error.code in ("unreachable", "timed_out")
        parts = {"title": error.title, "detail": error.detail, "hint": error.hint, "params": error.params}
        found = {"away": away, **parts}
        kept = FAILURE_MS
    with client().pipeline() as pipe:
        pipe.set(key, json.dumps(found), px=kept)
        # The mark goes when the answer goes: gone before, somebody who just looked in vain would ask again.
        pipe.pexpire(f"{key}:asked", kept)
        pipe.execute()
