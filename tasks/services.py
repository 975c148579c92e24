"""Asking for a task, and for its end."""

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import redis
from celery import current_app as celery_app
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from accounts.models import User
from accounts.rights import Action, Ref, most, require
from live.channel import publish
from tasks.errors import OtherRequest, Refused
from tasks.models import LogLine, Task
from tasks.registry import QUICK, QUICK_LIMIT
from webvirt.redis import client

log = logging.getLogger(__name__)

KEY_LIFE = timedelta(hours=24)
CANCEL_KEY_SECONDS = 24 * 3600


def cancel_key(task_id: int) -> str:
    """The Redis key that tells a running job that its end was asked for."""
    return f"webvirt:task:{task_id}:cancel"


def repeat_of(*, actor: User, key: str | None, request: Any) -> Task | None:
    """The task that this actor's key asked for within the last 24 h; None when the key is new.

    Called before any check, since what a request made is in the way of its own repetition. Raises
    OtherRequest when the key came with another request.
    """
    if not key:
        return None
    task = Task.objects.filter(actor=actor, idempotency_key=key).first()
    if task is None:
        return None
    if timezone.now() - task.created_at > KEY_LIFE:
        Task.objects.filter(pk=task.pk).update(idempotency_key=None)
        return None
    if task.request_digest != digest_of(request):
        raise OtherRequest(_("Send a new Idempotency-Key with a new request."))
    return task


def ask_for(
    kind: str,
    *,
    actor: User,
    target: Ref,
    host_name: str,
    arguments: dict[str, Any] | None = None,
    request: Any = None,
    key: str | None = None,
    lock_key: str = "",
    queue: str = QUICK,
    limit: int = QUICK_LIMIT,
) -> Task:
    """Write the row of a change and ring for it after commit; rights are the caller's to check.

    `request` is what the person asked for, as JSON can hold it; `key` the idempotency key that stands for it.
    """
    try:
        with transaction.atomic():
            task = Task.objects.create(
                kind=kind,
                queue=queue,
                limit=limit,
                actor=actor,
                actor_name=actor.get_username(),
                host_id=target.host_id,
                host_name=host_name,
                object_type=target.type,
                object_uuid=target.uuid,
                object_name=target.name,
                arguments=arguments or {},
                lock_key=lock_key,
                idempotency_key=key or None,
                request_digest=digest_of(request),
                language=get_language() or "",
            )
    except IntegrityError:
        # Somebody sent the same key in the same moment, and theirs was first.
        found = repeat_of(actor=actor, key=key, request=request)
        if found is None:
            raise
        return found
    publish("task", task.pk, "added")
    transaction.on_commit(lambda: ring(task.pk, queue, limit))
    return task


def digest_of(request: Any) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()


def ring(task_id: int, queue: str, limit: int) -> None:
    """Send the doorbell. Without Redis nothing is lost: beat rings for rows that wait."""
    try:
        celery_app.send_task("tasks.run", (task_id,), queue=queue, time_limit=limit, retry=False)
    except (OperationalError, redis.RedisError):
        log.warning("Redis does not answer: task %s waits for beat", task_id)


def cancel(*, task: Task, actor: User) -> Task:
    """Ask for the end of a task: a queued one ends here, a running one when its job notices.

    Raises PermissionDenied, or Refused when it has ended already.
    """
    if task.actor_id != actor.pk:
        require(actor, Action.OPERATE, task.ref)
    ended = Task.objects.filter(pk=task.pk, state=Task.State.QUEUED).update(
        state=Task.State.CANCELLED, cancel_asked=True, ended_at=timezone.now()
    )
    asked = ended or Task.objects.filter(pk=task.pk, state=Task.State.RUNNING).update(cancel_asked=True)
    task.refresh_from_db()
    if not asked:
        raise Refused(_("The task has ended already."))
    say(task, _("%(user)s asked for its end.") % {"user": actor.get_username()})
    if task.state == Task.State.RUNNING:
        client().set(cancel_key(task.pk), "1", ex=CANCEL_KEY_SECONDS)
    publish("task", task.pk)
    return task


def may_cancel(user: Any, task: Task) -> bool:
    return task.pk in cancellable(user, [task])


def cancellable(user: Any, tasks: Iterable[Task]) -> set[int]:
    """The ids of those tasks whose end the user may ask for; one query for all."""
    running = [task for task in tasks if task.can_cancel]
    rights = most(user, [task.ref for task in running])
    return {
        task.pk for task in running if task.actor_id == user.pk or rights.get(task.ref, Action.SEE) >= Action.OPERATE
    }


def say(task: Task, text: str) -> None:
    """Add a line to the task's log."""
    LogLine.objects.create(task=task, text=text)
