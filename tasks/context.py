"""What a job is given: its task, and how it reports, keeps its journal and hears of its cancelling."""

import threading
import time
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.rights import Ref
from live.channel import publish
from tasks.errors import Cancelled
from tasks.models import LogLine, Task

REPORT_SECONDS = 2.0


class Context:
    """One run of one task."""

    def __init__(self, task: Task, cancel_asked: threading.Event) -> None:
        self.task = task
        self._cancel_asked = cancel_asked
        self._reported = 0.0

    @property
    def arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = self.task.arguments
        return arguments

    @property
    def host_id(self) -> int:
        if self.task.host_id is None:
            raise ValueError(f"task {self.task.pk} names no host")
        return self.task.host_id

    @property
    def uuid(self) -> UUID:
        """libvirt's UUID of what the task is about; of a volume, that of its pool."""
        if self.task.object_uuid is None:
            raise ValueError(f"task {self.task.pk} names no object by its UUID")
        return self.task.object_uuid

    @property
    def ref(self) -> Ref:
        return self.task.ref

    def cancelled(self) -> bool:
        return self._cancel_asked.is_set()

    def check(self) -> None:
        """Raise Cancelled once somebody asked for the end: called where stopping is safe."""
        if self.cancelled():
            raise Cancelled

    def due(self) -> bool:
        """Whether `progress` would write now: for who hears thousands of times a second and has to work out words."""
        return time.monotonic() - self._reported >= REPORT_SECONDS

    def progress(self, percent: int | None, text: str = "", *, now: bool = False) -> None:
        """Report progress in percent and words; the row is written at most every 2 s, or at once with `now`."""
        if not now and not self.due():
            return
        self._reported = time.monotonic()
        Task.objects.filter(pk=self.task.pk, state=Task.State.RUNNING).update(
            progress=percent, progress_text=text[:200]
        )
        publish("task", self.task.pk)

    def so_far(self, result: Any) -> None:
        """Show what has been found so far, for who looks on; the job's end writes its whole result."""
        Task.objects.filter(pk=self.task.pk, state=Task.State.RUNNING).update(result=result)
        publish("task", self.task.pk)

    def say(self, text: str) -> None:
        """Add a line to the task's log."""
        LogLine.objects.create(task=self.task, text=text, at=timezone.now())
        publish("task", self.task.pk)

    def make(self, **what: str) -> None:
        """Write down, before it is made, what would have to be removed if the job ended here."""
        self.task.made = [*self.task.made, what]
        Task.objects.filter(pk=self.task.pk).update(made=self.task.made)

    def unmake(self, **what: str) -> None:
        """Strike from the journal what is removed again, or turned out to be somebody else's."""
        self.task.made = [entry for entry in self.task.made if entry != what]
        Task.objects.filter(pk=self.task.pk).update(made=self.task.made)

    def forget(self) -> None:
        """All that the journal names is dealt with."""
        self.task.made = []
        Task.objects.filter(pk=self.task.pk).update(made=[])

    def done(self, result: Any = None) -> None:
        """The change is made and whole: the task succeeds with `result`, whatever becomes of its worker after this."""
        self.task.made, self.task.work_done, self.task.result = [], True, result
        Task.objects.filter(pk=self.task.pk).update(made=[], work_done=True, result=result)
