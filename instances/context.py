"""What the frame around every page shows. It counts rows of all rooms, so it belongs to the highest of them."""

from functools import cached_property
from typing import Any

import redis
from django.http import HttpRequest

from hosts.models import Host, HostStatus
from instances.models import Instance
from networks.models import Network
from storage.models import Pool
from tasks.models import Task
from tasks.services import cancellable
from webvirt import __version__, alive

MOST_RUNNING = 5


class Frame:
    """Read when a template asks, and once a page: what an error page does not show is not looked up."""

    version = __version__

    def __init__(self, user: Any) -> None:
        self.user = user

    @cached_property
    def counts(self) -> dict[str, int]:
        return {
            "instances": Instance.objects.visible_to(self.user).count(),
            "hosts": Host.objects.visible_to(self.user).count(),
            "storage": Pool.objects.visible_to(self.user).count(),
            "networks": Network.objects.visible_to(self.user).count(),
        }

    @cached_property
    def unread(self) -> bool:
        """Whether nobody reads the hosts just now, so that what the rows say may be old."""
        try:
            return not alive.heard("monitor")
        except redis.RedisError:
            return True

    @cached_property
    def hosts_down(self) -> int:
        lost = [HostStatus.State.DOWN, HostStatus.State.REFUSED]
        return Host.objects.visible_to(self.user).filter(status__state__in=lost).count()

    @cached_property
    def running_count(self) -> int:
        shown = len(self.running_tasks)
        return shown if shown < MOST_RUNNING else Task.objects.visible_to(self.user).unfinished().count()

    @cached_property
    def running_tasks(self) -> list[Task]:
        """The newest of them."""
        return list(Task.objects.visible_to(self.user).unfinished().order_by("-pk")[:MOST_RUNNING])

    @property
    def running_more(self) -> int:
        """How many more there are than are shown."""
        return max(self.running_count - len(self.running_tasks), 0)

    @cached_property
    def cancellable(self) -> set[int]:
        return cancellable(self.user, self.running_tasks)

    @cached_property
    def last_task(self) -> Task | None:
        ended = Task.objects.visible_to(self.user).filter(ended_at__isnull=False)
        return ended.order_by("-ended_at").first()


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor; nothing for somebody who is not signed in."""
    user = getattr(request, "user", None)
    return {"frame": Frame(user)} if user is not None and user.is_authenticated else {}
