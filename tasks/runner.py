"""Running a task: claim, lease, work, end.

The row is the queue. A worker takes a row by one UPDATE, holds it by a lease in Redis that a thread
renews, and writes the final state after the clean-up, never before. Whoever finds a running row
without a lease (the sweep) cleans up and ends it.
"""

import logging
import os
import secrets
import socket
import threading
from typing import Any

import redis
from django.conf import settings
from django.db import IntegrityError
from django.db.models import Exists, OuterRef
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from live.channel import publish
from tasks.context import Context
from tasks.errors import Cancelled, JobFailed
from tasks.models import Task
from tasks.registry import JOBS
from tasks.services import cancel_key, ring
from virt.errors import VirtError
from webvirt.database import is_away
from webvirt.redis import client

log = logging.getLogger(__name__)

LEASE_SECONDS = 20
RENEW_SECONDS = 5
CANCEL_LOOK_SECONDS = 0.5


def lease_key(task_id: int) -> str:
    return f"webvirt:task:{task_id}:lease"


class Lease:
    """Holds a running row: renews the key, and hears of the cancelling, in a thread of its own."""

    def __init__(self, task_id: int, worker: str) -> None:
        self.task_id = task_id
        self.worker = worker
        self.cancel_asked = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease-{task_id}", daemon=True)

    def __enter__(self) -> "Lease":
        self._hold()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()
        try:
            client().delete(lease_key(self.task_id))
        except redis.RedisError:
            log.warning("Redis does not answer: the lease of task %s runs out by itself", self.task_id)

    def _hold(self) -> None:
        try:
            client().set(lease_key(self.task_id), self.worker, ex=LEASE_SECONDS)
        except redis.RedisError:
            log.warning("Redis does not answer: the lease of task %s is not renewed", self.task_id)

    def _renew(self) -> None:
        beats = 0
        while not self._over.wait(CANCEL_LOOK_SECONDS):
            beats += 1
            if beats % int(RENEW_SECONDS / CANCEL_LOOK_SECONDS) == 0:
                self._hold()
            try:
                if client().exists(cancel_key(self.task_id)):
                    self.cancel_asked.set()
            except redis.RedisError:
                log.warning("Redis does not answer: task %s does not hear of its cancelling", self.task_id)


def claim(task_id: int, worker: str) -> Task | None:
    """Take a queued row whose lock is free and whose turn it is; None when it is not to be had."""
    same_lock = Task.objects.filter(lock_key=OuterRef("lock_key")).exclude(lock_key="")
    running = same_lock.filter(state=Task.State.RUNNING)
    older = same_lock.filter(state=Task.State.QUEUED, pk__lt=OuterRef("pk"))
    try:
        taken = (
            Task.objects.filter(pk=task_id, state=Task.State.QUEUED)
            .exclude(Exists(running))
            .exclude(Exists(older))
            .update(state=Task.State.RUNNING, worker=worker, started_at=timezone.now())
        )
    except IntegrityError:
        return None
    return Task.objects.get(pk=task_id) if taken else None


def run(task_id: int) -> None:
    """Do a task that the doorbell rang for; not claimed means not ours, and nothing happens."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    task = claim(task_id, worker)
    if task is None:
        return
    with Lease(task.pk, worker) as lease:
        publish("task", task.pk)
        log.info("task %s: %s %s", task.pk, task.kind, task.object_name)
        with in_language_of(task):
            perform(task, Context(task, lease.cancel_asked))
    ring_next(task)


def in_language_of(task: Task) -> translation.override:
    """Whose words a task's log and progress have: those of who asked for it."""
    return translation.override(task.language or settings.LANGUAGE_CODE)


def perform(task: Task, context: Context) -> None:
    """Run the job; where it does not succeed, undo what it made; then write the end."""
    result: Any = None
    error: dict[str, Any] | None = None
    try:
        context.check()
        result = JOBS[task.kind].run(context)
        state = Task.State.SUCCEEDED
    except Cancelled:
        state = Task.State.CANCELLED
    except (VirtError, JobFailed) as failure:
        state, error = Task.State.FAILED, words_of(failure)
    except Exception as fault:  # noqa: BLE001 - the task and the log say it
        state, error = Task.State.FAILED, unforeseen(task, fault)
    if task.work_done:
        # What went wrong, or was asked, after the change was made does not unmake it.
        state, error, result = Task.State.SUCCEEDED, None, result or task.result
    if state != Task.State.SUCCEEDED:
        undo(context)
    finish(task, state, result=result, error=error)


def unforeseen(task: Task, failure: Exception) -> dict[str, Any]:
    """What a Task's error holds where the job did not foresee it; called while it is handled."""
    if is_away(failure):
        log.warning("task %s: the database does not answer: %s", task.pk, failure)
        return words_of(
            JobFailed(
                gettext_noop("Webvirt's database does not answer"),
                gettext_noop("It was locked, full or away while this was done."),
                hint=gettext_noop("Look whether the object is as you want it, then try again."),
            )
        )
    reference = secrets.token_hex(4)
    log.exception("task %s failed by our own fault, reference %s", task.pk, reference)
    return own_fault(reference)


def undo(context: Context) -> None:
    """Remove what the job has half made, by its journal; what cannot be removed now stays in it, for the sweep."""
    job = JOBS.get(context.task.kind)
    if job is None or job.undo is None or not context.task.made:
        return
    try:
        job.undo(context)
        context.forget()
    except VirtError as failure:
        context.say(f"{_(failure.title)} {_(failure.detail) % failure.params}")
        log.warning("task %s: its clean-up failed: %s", context.task.pk, failure)
    except Exception:
        log.exception("task %s: its clean-up failed by our own fault", context.task.pk)
        context.say(_("Not everything that was half made could be removed."))


def finish(task: Task, state: str, *, result: Any = None, error: dict[str, Any] | None = None) -> None:
    """Write the end of a task that is still this worker's."""
    done = {"progress": 100, "progress_text": ""} if state == Task.State.SUCCEEDED else {}
    ended = Task.objects.filter(pk=task.pk, state=Task.State.RUNNING, worker=task.worker).update(
        state=state, result=result, error=error, ended_at=timezone.now(), **done
    )
    if ended:
        publish("task", task.pk)
        log.info("task %s: %s", task.pk, state)
    else:
        log.warning("task %s was ended by somebody else before its end (%s) was written", task.pk, state)


def words_of(failure: VirtError | JobFailed) -> dict[str, Any]:
    """What a Task's error holds: templates and parameters, so that each reader's language can be used."""
    return {
        "title": failure.title,
        "detail": failure.detail,
        "hint": failure.hint,
        "params": failure.params,
        "libvirt": getattr(failure, "libvirt", ""),
        "code": getattr(failure, "code", "failed"),
    }


def own_fault(reference: str) -> dict[str, Any]:
    return {
        "title": gettext_noop("Webvirt's own fault"),
        "detail": gettext_noop(
            "Something in Webvirt went wrong that should not have. The log has it under %(reference)s."
        ),
        "hint": gettext_noop("Try again; if it happens twice, report it with the reference."),
        "params": {"reference": reference},
        "libvirt": "",
        "code": "own_fault",
    }


def ring_next(task: Task) -> None:
    """Ring for the oldest queued task that waited for this one's lock."""
    if not task.lock_key:
        return
    waiting = Task.objects.filter(lock_key=task.lock_key, state=Task.State.QUEUED).order_by("pk").first()
    if waiting:
        ring(waiting.pk, waiting.queue, waiting.limit)
