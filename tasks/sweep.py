"""What beat does every 10 s: ring for rows that wait, and end running rows that nobody holds."""

import logging
import os
import secrets
import socket
import threading
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tasks.context import Context
from tasks.models import Task
from tasks.runner import LEASE_SECONDS, Lease, finish, in_language_of, lease_key, ring_next, undo
from tasks.services import ring, say
from webvirt.redis import client

log = logging.getLogger(__name__)

WAITING_SECONDS = 5
UNDO_FOR = timedelta(hours=24)
UNDO_EVERY_SECONDS = 60
MOST_UNDOS = 3  # each may wait for a host that does not answer


def ring_for_waiting() -> int:
    """Ring for queued rows that have waited over 5 s: their message was lost, or their lock was taken."""
    waiting = Task.objects.filter(older_than(WAITING_SECONDS, "created_at"), state=Task.State.QUEUED).order_by("pk")
    heads: dict[str, Task] = {}
    for task in waiting[:1000]:
        heads.setdefault(task.lock_key or f"#{task.pk}", task)
    for task in heads.values():
        ring(task.pk, task.queue, task.limit)
    return len(heads)


def end_abandoned() -> int:
    """End running rows whose lease is gone, after removing what they had half made."""
    redis = client()
    if int(redis.info("server")["uptime_in_seconds"]) < LEASE_SECONDS:
        return 0  # a Redis that just came back has lost the leases of workers that are well
    ended = 0
    started = older_than(LEASE_SECONDS, "started_at")
    for task in Task.objects.filter(started, state=Task.State.RUNNING).order_by("pk"):
        if redis.exists(lease_key(task.pk)):
            continue
        ended += end(task)
    return ended


def older_than(seconds: float, moment: str) -> Q:
    """Rows of which this moment is so long ago; or yet to come, where the clock was put back since."""
    now = timezone.now()
    return Q(**{f"{moment}__lt": now - timedelta(seconds=seconds)}) | Q(
        **{f"{moment}__gt": now + timedelta(seconds=seconds)}
    )


def undo_again() -> int:
    """Try once more to remove what ended tasks have left, because their host was away then."""
    since = timezone.now() - UNDO_FOR
    left = Task.objects.filter(state__in=Task.UNDONE, ended_at__gt=since).exclude(made=[]).order_by("pk")
    tried = 0
    for task in left[:MOST_UNDOS]:
        if client().set(f"webvirt:task:{task.pk}:undo", "1", nx=True, ex=UNDO_EVERY_SECONDS):
            with in_language_of(task):
                undo(Context(task, threading.Event()))
            tried += 1
    return tried


def end(task: Task) -> bool:
    """Take the row over, clean up, and end it as interrupted, or as cancelled if that was asked."""
    worker = f"{socket.gethostname()}:{os.getpid()}:sweep:{secrets.token_hex(4)}"
    taken = Task.objects.filter(pk=task.pk, state=Task.State.RUNNING, worker=task.worker).update(worker=worker)
    if not taken:
        return False
    task.refresh_from_db()
    log.warning("task %s lost its worker", task.pk)
    with in_language_of(task):
        write_end(task, worker)
    ring_next(task)
    return True


def write_end(task: Task, worker: str) -> None:
    """Where the work was done the task has succeeded; else what it made is removed, and it is interrupted."""
    if task.work_done:
        say(task, _("The worker ended after the change was made; lists may have shown it a moment later."))
        finish(task, Task.State.SUCCEEDED, result=task.result)
        return
    with Lease(task.pk, worker):
        undo(Context(task, threading.Event()))
        finish(
            task,
            Task.State.CANCELLED if task.cancel_asked else Task.State.INTERRUPTED,
            error=None
            if task.cancel_asked
            else {
                "title": gettext_noop("The worker ended in the middle"),
                "detail": gettext_noop(
                    "The program that did this was stopped, or its time of %(limit)s s was over. "
                    "What was half made has been removed."
                ),
                "hint": gettext_noop("Look whether the object is as you want it, then try again."),
                "params": {"limit": str(task.limit)},
                "libvirt": "",
                "code": "interrupted",
            },
        )
