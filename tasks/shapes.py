"""A task as programs and our own scripts read it."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.rights import Ref
from live.registry import TYPES
from tasks.models import Task


def task_shape(task: Task, request: HttpRequest | None = None, *, ids: dict[Ref, int] | None = None) -> dict[str, Any]:
    """A task as the API answers it; absolute URLs where the request is known.

    Times are datetimes, progress is percent or None. `ids` are those of the objects, where many
    tasks are shown and `object_ids` was asked once for all.
    """
    if ids is None:
        ids = object_ids([task])
    log_url = reverse("api:task-log", args=[task.pk])
    return {
        "id": task.pk,
        "kind": task.kind,
        "title": task.title,
        "state": task.state,
        "progress": task.progress,
        "progress_text": task.progress_text,
        "object": {
            "type": task.object_type,
            "id": ids.get(task.ref),
            "uuid": task.object_uuid,
            "name": task.object_name,
            "host": task.host_id,
            "host_name": task.host_name,
        },
        "user": task.actor_id,
        "user_name": task.actor_name,
        "created_at": task.created_at,
        "started_at": task.started_at,
        "ended_at": task.ended_at,
        "cancel_asked": task.cancel_asked,
        "error": task.error_words,
        "result": task.told_result,
        "log_url": request.build_absolute_uri(log_url) if request else log_url,
    }


def object_ids(tasks: Iterable[Task]) -> dict[Ref, int]:
    """The ids of the rows that the tasks are about, where those are there now: one query a type."""
    by_type: dict[str, set[Ref]] = {}
    for task in tasks:
        by_type.setdefault(task.object_type, set()).add(task.ref)
    found: dict[Ref, int] = {}
    for type, refs in by_type.items():
        if type in TYPES:
            found |= TYPES[type].find(refs)
    return found
