"""The Task: at once the job, the progress bar, the audit trail and the thing that can be cancelled."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant
from accounts.rights import Ref, visible
from tasks.errors import error_words
from tasks.registry import RESULTS, TITLES


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: Any) -> Self:
        """One's own tasks, and those of objects that one may see."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        # As a sum it has no index. With one for every alternative SQLite would collect all that may be seen
        # and sort it, where it should walk along the order that is asked for and stop.
        tasks = self.alias(at_host=F("host_id") + 0)
        seen = tasks.filter(actor_id=user.pk)
        for scope, types in (
            (Grant.Scope.INSTANCE, ["instance"]),
            (Grant.Scope.POOL, ["pool", "volume", "upload"]),
            (Grant.Scope.NETWORK, ["network"]),
            (Grant.Scope.HOST, ["host"]),
        ):
            of_types = tasks.filter(object_type__in=types)
            seen |= visible(of_types, user, scope=scope, host="at_host", uuid="object_uuid")
        return seen

    def unfinished(self) -> Self:
        return self.filter(state__in=Task.UNFINISHED)


class Task(models.Model):
    """A change of a host that somebody asked for.

    The object is named without a foreign key, and may not exist yet. `kind` is `<app>.<verb>`.
    `arguments` and `result` hold no secrets. `made` is the journal of what the job has half made,
    written before each making, so that whoever ends the task can remove it. `work_done` says that the host has
    the whole change, and only the lists have yet to show it. `limit` is in seconds. `language` is the actor's: the
    log is written in it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        INTERRUPTED = "interrupted", _("Interrupted")

    UNFINISHED = [State.QUEUED, State.RUNNING]
    UNDONE = [State.FAILED, State.CANCELLED, State.INTERRUPTED]

    kind = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    queue = models.CharField(max_length=16)
    limit = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150)
    host_id = models.BigIntegerField(null=True)
    host_name = models.CharField(max_length=200, blank=True)
    object_type = models.CharField(max_length=16)
    object_uuid = models.UUIDField(null=True)
    object_name = models.CharField(max_length=300)
    arguments = models.JSONField(default=dict)
    made = models.JSONField(default=list)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)
    lock_key = models.CharField(max_length=400, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True)
    request_digest = models.CharField(max_length=64, blank=True)
    progress = models.PositiveSmallIntegerField(null=True)
    progress_text = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, blank=True)
    work_done = models.BooleanField(default=False)
    cancel_asked = models.BooleanField(default=False)
    worker = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="one_running_task_per_lock",
                fields=["lock_key"],
                condition=Q(state="running") & ~Q(lock_key=""),
            ),
            models.UniqueConstraint(name="one_task_per_idempotency_key", fields=["actor", "idempotency_key"]),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"]),
            models.Index(fields=["lock_key", "state"]),
            models.Index(fields=["host_id", "object_uuid"]),
            models.Index(fields=["-ended_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_name}"

    @property
    def ref(self) -> Ref:
        return Ref(self.object_type, self.host_id, self.object_uuid, self.object_name)

    @property
    def title(self) -> str:
        """What it does, in the reader's language: 'Start web-3'."""
        words = TITLES.get(self.kind)
        return str(words) % {"name": self.object_name} if words else f"{self.kind} {self.object_name}"

    @property
    def error_words(self) -> dict[str, str] | None:
        """Why it failed, in the reader's language: title, detail, hint, and libvirt's own message."""
        return error_words(self.error)

    @property
    def told_result(self) -> Any:
        """What came of it, with its words in the reader's language."""
        tell = RESULTS.get(self.kind)
        return tell(self.result) if tell and self.result is not None else self.result

    @property
    def ended(self) -> bool:
        return self.state not in Task.UNFINISHED

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it has not ended, or when it never began."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at and self.started_at else None

    @property
    def can_cancel(self) -> bool:
        return not self.ended and not self.cancel_asked


class LogLine(models.Model):
    """A line of a task's log, in the words a person reads."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
