"""tasks/: every change that was asked for, and how it goes."""

import time
from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import Ref
from api.filters import TaskFilter
from api.task_shapes import LogLineSerializer, TaskSerializer
from api.views import DetailView, ListView, Rows
from tasks import services
from tasks.models import LogLine, Task
from tasks.shapes import object_ids

LONGEST_WAIT = 30.0  # seconds
LOOK_SECONDS = 0.1


class TaskList(ListView):
    """The tasks that one asked for oneself, and those of objects that one may see; the newest first."""

    serializer_class = TaskSerializer
    filterset_class = TaskFilter
    search_fields = ("object_name", "kind", "actor_name", "host_name")
    ordering_fields = (
        "id",
        "kind",
        "state",
        ("user", "actor_id"),
        ("user_name", "actor_name"),
        ("host", "host_id"),
        "host_name",
        "object_name",
        "created_at",
        "started_at",
        "ended_at",
    )
    ordering = ("-id",)

    def rows(self) -> QuerySet[Task]:
        return Task.objects.visible_to(self.request.user)

    def related(self, rows: Sequence[Any]) -> dict[Ref, int]:
        return object_ids(rows)


WAIT = OpenApiParameter(
    "wait",
    {"type": "number", "minimum": 0, "default": 0},
    description="Hold the answer until the task ends, for at most so many seconds (30 at most).",
)


class WaitSerializer(serializers.Serializer[Any]):
    wait = serializers.FloatField(min_value=0, default=0.0)


class TaskDetail(DetailView):
    """A task, bare. With `?wait=SECONDS` the answer is held until the task ends."""

    serializer_class = TaskSerializer

    def rows(self) -> QuerySet[Task]:
        return Task.objects.visible_to(self.request.user)

    @extend_schema(parameters=[WAIT])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = WaitSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        if asked.validated_data["wait"]:
            wait_for_end(self.get_object(), min(asked.validated_data["wait"], LONGEST_WAIT))
        return self.retrieve(request, *args, **kwargs)


def wait_for_end(task: Task, seconds: float) -> None:
    """Return when the task has ended, or the time is over. Between two looks no database connection is held."""
    until = time.monotonic() + seconds
    while Task.objects.unfinished().filter(pk=task.pk).exists() and time.monotonic() < until:
        connections.close_all()
        time.sleep(LOOK_SECONDS)


class TaskLog(ListView):
    """The lines of a task's log, the oldest first."""

    serializer_class = LogLineSerializer
    filter_backends = ()

    def rows(self) -> QuerySet[LogLine]:
        task = get_object_or_404(Task.objects.visible_to(self.request.user), pk=self.kwargs["pk"])
        return task.log.all()


class TaskCancel(Rows):
    """Ask for the end of a task: a queued one ends at once, a running one where its job can stop."""

    serializer_class = TaskSerializer
    problems = ("409",)

    @extend_schema(request=None, responses={200: TaskSerializer})
    def post(self, request: Request, pk: int) -> Response:
        task = get_object_or_404(Task.objects.visible_to(request.user), pk=pk)
        services.cancel(task=task, actor=self.actor)
        return Response(self.get_serializer(task).data)
