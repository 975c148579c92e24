"""What the frame around every page shows. It counts rows of all rooms, so it belongs to the highest of them."""

from functools import cached_property
from typing import Any

import redis
from django.db.models import CharField, Count, QuerySet, Value
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import worded
from hosts.models import Host, HostStatus
from instances.models import Instance
from networks.models import Network
from storage.models import Pool
from tasks.models import Task
from tasks.services import cancellable
from webvirt import __version__, alive
from webvirt.sentences import comma

COUNTED = ("instances", "hosts", "hosts_down", "storage", "networks")
MOST_RUNNING = 5


class Frame:
    """Read when a template asks, and once a page: what an error page does not show is not looked up."""

    version = __version__

    def __init__(self, user: Any) -> None:
        self.user = user

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind, and of the hosts how many are lost; in one query."""
        return dict.fromkeys(COUNTED, 0) | dict(worded.values("counts", self.user, self._counts))

    def _counts(self) -> QuerySet[Any, Any]:
        lost = [HostStatus.State.DOWN, HostStatus.State.REFUSED]
        hosts = Host.objects.visible_to(self.user)
        counted = {
            "instances": Instance.objects.visible_to(self.user),
            "hosts": hosts,
            "hosts_down": hosts.filter(status__state__in=lost),
            "storage": Pool.objects.visible_to(self.user),
            "networks": Network.objects.visible_to(self.user),
        }
        first, *rest = (
            rows.order_by().values_list(Value(name, output_field=CharField())).annotate(count=Count("pk"))
            for name, rows in counted.items()
        )
        union: QuerySet[Any, Any] = first.union(*rest, all=True)
        return union

    @cached_property
    def unread(self) -> bool:
        """Whether nobody reads the hosts just now, so that what the rows say may be old."""
        try:
            return not alive.heard("monitor")
        except redis.RedisError:
            return True

    @cached_property
    def running_count(self) -> int:
        shown = len(self.running_tasks)
        return shown if shown < MOST_RUNNING else Task.objects.visible_to(self.user).unfinished().count()

    @cached_property
    def running_tasks(self) -> list[Task]:
        """The newest of them."""
        tasks = Task.objects.visible_to
        return worded.rows(
            Task, "running", self.user, lambda: tasks(self.user).unfinished().order_by("-pk")[:MOST_RUNNING]
        )

    @property
    def hosts_words(self) -> str:
        hosts, lost = self.counts["hosts"], self.counts["hosts_down"]
        words = ngettext("%(n)s host", "%(n)s hosts", hosts) % {"n": hosts}
        return comma().join([words, *([_("%(n)s not reachable") % {"n": lost}] if lost else [])])

    @property
    def running_words(self) -> str:
        count = self.running_count
        if not count:
            return _("No running tasks")
        return ngettext("%(n)s running task", "%(n)s running tasks", count) % {"n": count}

    @property
    def more_words(self) -> str:
        return _("and %(n)s more") % {"n": self.running_more}

    @property
    def running_more(self) -> int:
        """How many more there are than are shown."""
        return max(self.running_count - len(self.running_tasks), 0)

    @cached_property
    def cancellable(self) -> set[int]:
        return cancellable(self.user, self.running_tasks)

    @cached_property
    def last_task(self) -> Task | None:
        ended = Task.objects.visible_to
        found = worded.rows(
            Task, "last", self.user, lambda: ended(self.user).filter(ended_at__isnull=False).order_by("-ended_at")[:1]
        )
        return found[0] if found else None


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor; nothing for somebody who is not signed in."""
    user = getattr(request, "user", None)
    return {"frame": Frame(user)} if user is not None and user.is_authenticated else {}
