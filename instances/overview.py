"""The overview: what needs attention, hosts, guests by state, last tasks, fullest pools, and the first steps."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.rights import Action, may
from hosts import figures
from hosts.models import Host, HostStatus
from hosts.services import manages_any
from hosts.twins import twins_among
from instances.listing import Figures
from instances.models import Instance
from instances.placing import ISO_NAMES
from storage.models import Pool, Volume
from tasks.models import Task
from webvirt.sentences import listed
from webvirt.units import digits, unit_of

# The last of these takes what lies in it along: a volume's task names its pool.
REMOVED_WITH_ALL = "storage.remove_pool"
REMOVALS = ("instances.delete", "networks.remove", "storage.delete_volume", REMOVED_WITH_ALL)
FAILED_WITHIN = timedelta(hours=24)
FULL = 0.9
MOST_WORRIES = 8  # of one kind
MOST_TASKS = 6
MOST_POOLS = 4
UNKNOWN: Figures = {"cpu_percent": None, "memory_used_bytes": None}

PARTS = ("counts", "worries", "hosts", "states", "tasks", "pools", "first")
BLOCKS = {"nav": "pieces/nav.html"} | {part: f"instances/_overview_{part}.html" for part in PARTS}


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    template = BLOCKS.get(request.GET.get("block", ""), "instances/overview.html")
    return render(request, template, {"overview": Overview(request.user)})


@dataclass(frozen=True)
class Worry:
    """Something that waits for somebody: its shape (a state), what, since when, why, and where to go."""

    state: str
    title: str
    since: datetime | None
    why: str
    url: str
    label: str


@dataclass(frozen=True)
class HostRow:
    """A host with what its running guests were promised. Sizes are bytes."""

    host: Host
    guests: int
    vcpus: int
    memory_bytes: int
    now: Figures
    spark: list[float | None]
    pools: list[Pool]

    @property
    def cpu_name(self) -> str:
        return f"host:{self.host.pk}:cpu_percent"

    @property
    def promised(self) -> str:
        """What its running guests were promised, in the unit of all its memory."""
        unit: int = 1024 ** unit_of(self.host.status.memory_bytes)
        return _("%(count)s promised") % {"count": digits(self.memory_bytes / unit)}

    @property
    def used_bytes(self) -> float | None:
        return self.now.get("memory_used_bytes")

    @property
    def fullest(self) -> Pool | None:
        """The pool that is full first. Pools may share a file system, which libvirt does not tell: no sum is true."""
        return self.pools[0] if self.pools else None


class Overview:
    """The whole fleet for one viewer; each part is read when its template asks."""

    def __init__(self, user: Any) -> None:
        self.user = user

    @cached_property
    def guests(self) -> QuerySet[Instance]:
        return Instance.objects.visible_to(self.user)

    @cached_property
    def hosts(self) -> list[Host]:
        heavy = ("status__capabilities_xml", "status__domcapabilities_xml")
        return list(Host.objects.visible_to(self.user).select_related("status").defer(*heavy))

    @cached_property
    def may_create(self) -> bool:
        return manages_any(self.user)

    @cached_property
    def states(self) -> list[tuple[str, str, int]]:
        """The states that guests are in: value, word, count."""
        counts = dict(self.guests.values_list("state").annotate(Count("pk")).order_by())
        return [(state.value, str(state.label), counts[state]) for state in Instance.State if state in counts]

    @property
    def stack(self) -> list[tuple[str, int]]:
        return [(state, count) for state, _word, count in self.states]

    @cached_property
    def tasks(self) -> QuerySet[Task]:
        return Task.objects.visible_to(self.user).order_by("-pk")[:MOST_TASKS]

    @cached_property
    def pools(self) -> list[Pool]:
        """The fullest."""
        return list(self.active_pools[:MOST_POOLS])

    @property
    def active_pools(self) -> QuerySet[Pool]:
        """The fullest first."""
        rows = Pool.objects.visible_to(self.user).filter(state=Pool.State.ACTIVE, capacity_bytes__gt=0)
        return rows.select_related("host").order_by(F("available_bytes") * 1.0 / F("capacity_bytes"))

    @cached_property
    def host_rows(self) -> list[HostRow]:
        ids = [host.pk for host in self.hosts]
        latest, hours = figures.latest("host", ids), figures.hour("host", ids)
        counts = dict(self.guests.values_list("host").annotate(Count("pk")).order_by())
        alive = self.guests.exclude(state=Instance.State.SHUTOFF).values("host").order_by()
        promised = {row["host"]: row for row in alive.annotate(cpus=Sum("vcpus"), memory=Sum("memory_bytes"))}
        pools: dict[int, list[Pool]] = defaultdict(list)
        for pool in self.active_pools.defer("xml"):
            pools[pool.host_id].append(pool)
        now = timezone.now()
        nothing = {"cpus": 0, "memory": 0}
        return [
            HostRow(
                host=host,
                guests=counts.get(host.pk, 0),
                vcpus=promised.get(host.pk, nothing)["cpus"],
                memory_bytes=promised.get(host.pk, nothing)["memory"],
                now=UNKNOWN | latest.get(host.pk, {}),
                spark=figures.line(hours.get(host.pk, []), "cpu_percent", now, latest.get(host.pk)),
                pools=pools[host.pk],
            )
            for host in self.hosts
        ]

    @cached_property
    def worries(self) -> list[Worry]:
        return [
            *self.lost_hosts(),
            *self.lost_parts(),
            *self.twins(),
            *self.broken_guests(),
            *self.broken_pools(),
            *self.full_pools(),
            *self.failed_tasks(),
        ]

    def lost_hosts(self) -> list[Worry]:
        lost = [host for host in self.hosts if host.status.state in (HostStatus.State.DOWN, HostStatus.State.REFUSED)]
        return [
            Worry(
                "down",
                self.lost_title(host),
                host.status.since,
                host.status.why,
                reverse("hosts:detail", args=[host.pk]),
                _("Open host"),
            )
            for host in lost[:MOST_WORRIES]
        ]

    def lost_parts(self) -> list[Worry]:
        return [
            Worry(
                "inaccessible",
                _("%(daemon)s does not run on %(name)s") % {"daemon": away["params"]["daemon"], "name": host.name},
                host.status.part_stale_since(part),
                _("What it answers for is shown as last known. The guests go on running."),
                reverse("hosts:detail", args=[host.pk]),
                _("Open host"),
            )
            for host in self.hosts
            if host.status.is_up
            for part, away in host.status.away.items()
        ][:MOST_WORRIES]

    def twins(self) -> list[Worry]:
        """Machines that were added more than once, for whoever can remove them."""
        if not may(self.user, Action.ADMINISTER, None):
            return []
        return [
            Worry(
                "inaccessible",
                _("%(names)s are the same machine") % {"names": listed(host.name for host in group)},
                None,
                _("Each of its guests is listed and counted for each of them. Remove all but one."),
                reverse("hosts:detail", args=[group[-1].pk]),
                _("Open host"),
            )
            for group in twins_among(self.hosts)[:MOST_WORRIES]
        ]

    def lost_title(self, host: Host) -> str:
        if host.status.shows_other_key:
            return _("%(name)s shows another key: it may be another machine") % {"name": host.name}
        return _("%(name)s cannot be reached") % {"name": host.name}

    def broken_guests(self) -> list[Worry]:
        on_live_hosts = self.guests.filter(host__status__state=HostStatus.State.UP)
        crashed = on_live_hosts.filter(state=Instance.State.CRASHED)
        fell = on_live_hosts.filter(state=Instance.State.SHUTOFF, reason="crashed")
        stopped = on_live_hosts.filter(state=Instance.State.PAUSED, reason="ioerror")
        guests = (crashed | fell | stopped).order_by("-state_since")[:MOST_WORRIES]
        return [self.broken(guest) for guest in guests]

    def broken(self, guest: Instance) -> Worry:
        paused = guest.state == Instance.State.PAUSED
        return Worry(
            "paused" if paused else "crashed",
            (_("%(name)s was paused by its host") if paused else _("%(name)s crashed")) % {"name": guest.name},
            guest.state_since,
            _("One of its disks could not be read or written. See that its pool has room, then resume.")
            if paused
            else _("Its kernel gave up, or QEMU did."),
            reverse("instances:detail", args=[guest.pk]),
            _("Open guest"),
        )

    def full_pools(self) -> list[Worry]:
        full = self.active_pools.filter(available_bytes__lte=F("capacity_bytes") * (1 - FULL))
        return [
            Worry(
                "degraded",
                _("The pool %(pool)s on %(host)s is nearly full") % {"pool": pool.name, "host": pool.host.name},
                None,
                _("Guests whose disks cannot grow are paused by their host."),
                reverse("storage:detail", args=[pool.pk]),
                _("Open pool"),
            )
            for pool in full[:MOST_WORRIES]
        ]

    def broken_pools(self) -> list[Worry]:
        pools = Pool.objects.visible_to(self.user).filter(host__status__state=HostStatus.State.UP)
        broken = pools.filter(state__in=[Pool.State.DEGRADED, Pool.State.INACCESSIBLE]).select_related("host")
        return [
            Worry(
                pool.state,
                _("The pool %(pool)s on %(host)s is not as it should be") % {"pool": pool.name, "host": pool.host.name},
                None,
                _("libvirt says: %(state)s. Look at the disk or the server that it lies on.")
                % {"state": pool.get_state_display()},
                reverse("storage:detail", args=[pool.pk]),
                _("Open pool"),
            )
            for pool in broken[:MOST_WORRIES]
        ]

    def failed_tasks(self) -> list[Worry]:
        """Tasks of the last day that failed, where the same was not asked for again, nor their object removed."""
        again = Task.objects.filter(
            pk__gt=OuterRef("pk"),
            kind=OuterRef("kind"),
            host_id=OuterRef("host_id"),
            object_name=OuterRef("object_name"),
        )
        removed = Task.objects.filter(
            Q(object_name=OuterRef("object_name")) | Q(kind=REMOVED_WITH_ALL),
            pk__gt=OuterRef("pk"),
            kind__in=REMOVALS,
            host_id=OuterRef("host_id"),
            object_uuid=OuterRef("object_uuid"),
            state=Task.State.SUCCEEDED,
        )
        failed = Task.objects.visible_to(self.user).filter(
            state__in=[Task.State.FAILED, Task.State.INTERRUPTED], ended_at__gt=timezone.now() - FAILED_WITHIN
        )
        return [
            Worry(
                "failed",
                _("%(title)s: failed") % {"title": task.title},
                task.ended_at,
                (task.error_words or {}).get("detail", ""),
                reverse("tasks:detail", args=[task.pk]),
                _("Open task"),
            )
            for task in failed.exclude(Exists(again) | Exists(removed)).order_by("-pk")[:MOST_WORRIES]
        ]

    @cached_property
    def first_use(self) -> bool:
        return not self.guests.exists()

    @cached_property
    def first_host(self) -> Host | None:
        return next((host for host in self.hosts if host.status.is_up), None)

    @cached_property
    def has_image(self) -> bool:
        return Volume.objects.visible_to(self.user).filter(ISO_NAMES).exists()

    @cached_property
    def first_pool(self) -> Pool | None:
        pools = Pool.objects.visible_to(self.user).filter(state=Pool.State.ACTIVE)
        return pools.filter(name="default").first() or pools.first()
