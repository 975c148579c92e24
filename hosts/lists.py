"""Hosts as the pages show them: rows with figures and counts, in a constant number of queries."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.rights import most
from hosts import figures
from hosts.models import Host, HostQuerySet, HostStatus
from webvirt.units import digits, unit_of

Points = list[float | None]

# As the guests' own room names these states.
RUNNING, OFF = "running", "shutoff"


@dataclass(frozen=True)
class Load:
    """What lies on a host: its guests, those that run, and what they were promised. Sizes are bytes.

    `promised_bytes` and `promised_cpus` are of the guests that are not off; the `all_bytes` of a host on which
    every guest ran would be needed.
    """

    guests: int = 0
    running: int = 0
    promised_cpus: int = 0
    promised_bytes: int = 0
    all_bytes: int = 0


NUMBERS = tuple(field.name for field in fields(Load))


@dataclass(frozen=True)
class HostRow:
    """A host, its figures now and in the last hour, and what lies on it.

    `load` is None where the user may see only some of its guests.
    """

    host: Host
    now: dict[str, float | None]
    load: Load | None
    hour: list[tuple[int, dict[str, float | None]]]

    @property
    def cpu_name(self) -> str:
        return f"host:{self.host.pk}:cpu_percent"

    @property
    def memory_name(self) -> str:
        return f"host:{self.host.pk}:memory_used_bytes"

    @property
    def cpu(self) -> Points:
        """Percent, a point each minute of the last hour."""
        return figures.line(self.hour, "cpu_percent", timezone.now(), self.now)

    @property
    def memory(self) -> Points:
        """Used bytes, a point each minute of the last hour."""
        return figures.line(self.hour, "memory_used_bytes", timezone.now(), self.now)

    @property
    def cpu_now(self) -> float | None:
        return self.now.get("cpu_percent")

    @property
    def memory_now(self) -> float | None:
        return self.now.get("memory_used_bytes")

    @property
    def memory_percent(self) -> float:
        """How much of the memory is used now; 0 where that is not known."""
        return self.share_of_memory(self.memory_now or 0)

    @property
    def promised_percent(self) -> float:
        """How much of the memory the running guests were promised."""
        return self.share_of_memory(self.load.promised_bytes if self.load else 0)

    @property
    def promised_width(self) -> float:
        """The share that the bar has room for: more may be promised than there is."""
        return min(self.promised_percent, 100.0)

    def share_of_memory(self, count: float) -> float:
        total = self.host.status.memory_bytes
        return round(count / total * 100, 1) if total else 0.0

    @property
    def promised(self) -> str:
        """What the running guests were promised, and all of them, in the unit of the host's whole memory."""
        load = self.load or Load()
        unit: int = 1024 ** unit_of(self.host.status.memory_bytes)
        words = {"count": digits(load.promised_bytes / unit), "all": digits(load.all_bytes / unit)}
        if load.all_bytes == load.promised_bytes:
            return _("%(count)s promised") % words
        return _("%(count)s promised, %(all)s if all ran") % words


@dataclass(frozen=True)
class Query:
    """What the query string asks for; what it says wrongly is passed over."""

    text: str
    state: str
    maintenance: str

    @classmethod
    def of(cls, query: QueryDict) -> "Query":
        state, maintenance = query.get("state", ""), query.get("maintenance", "")
        return cls(
            text=query.get("q", "").strip().replace("\x00", ""),
            state=state if state in HostStatus.State.values else "",
            maintenance=maintenance if maintenance in ("1", "0") else "",
        )

    @property
    def filtered(self) -> bool:
        return bool(self.text or self.state or self.maintenance)

    def narrow(self, hosts: HostQuerySet) -> HostQuerySet:
        if self.state:
            hosts = hosts.filter(status__state=self.state)
        if self.maintenance:
            hosts = hosts.filter(maintenance=self.maintenance == "1")
        return hosts.matching(self.text)


def rows_of(hosts: HostQuerySet, user: Any) -> list[HostRow]:
    """The hosts' rows without their last hour; three queries and a call of Redis, however many there are."""
    shown = list(hosts.with_status())
    whole = most(user, [host.ref for host in shown])
    loads = loads_of([host.pk for host in shown if host.ref in whole])
    now = figures.latest("host", [host.pk for host in shown if host.status.is_up])
    return [
        HostRow(
            host=host,
            now=now.get(host.pk, {}),
            load=loads.get(host.pk, Load()) if host.ref in whole else None,
            hour=[],
        )
        for host in shown
    ]


def with_hour(rows: Iterable[HostRow]) -> list[HostRow]:
    """The rows with the last hour of those hosts that are up; a call of Redis."""
    shown = list(rows)
    hours = figures.hour("host", [row.host.pk for row in shown if row.host.status.is_up])
    return [replace(row, hour=hours.get(row.host.pk, [])) for row in shown]


def loads_of(ids: Iterable[int]) -> dict[int, Load]:
    """What lies on each of these hosts; one query. Hosts without guests are left out."""
    alive = ~Q(instances__state=OFF)
    found = Host.objects.filter(pk__in=list(ids), instances__isnull=False).order_by()
    counted = found.values("pk").annotate(
        guests=Count("instances"),
        running=Count("instances", filter=Q(instances__state=RUNNING)),
        promised_cpus=Sum("instances__vcpus", filter=alive, default=0),
        promised_bytes=Sum("instances__memory_bytes", filter=alive, default=0),
        all_bytes=Sum("instances__memory_bytes", default=0),
    )
    return {row[0]: Load(*row[1:]) for row in counted.values_list("pk", *NUMBERS)}


def version_of(row: HostRow) -> tuple[int, ...]:
    return tuple(int(part) for part in row.host.status.libvirt_version.split(".") if part.isdigit())


SORTS: dict[str, Callable[[HostRow], Any]] = {
    "name": lambda row: row.host.name,
    "state": lambda row: row.host.status.state,
    "guests": lambda row: row.load.guests if row.load else 0,
    "cpu": lambda row: row.cpu_now or 0,
    "memory": lambda row: row.memory_percent,
    "promised": lambda row: row.promised_percent,
    "version": version_of,
}


def ordered(rows: list[HostRow], sort: str) -> list[HostRow]:
    """The rows in the order that `sort` names, backwards with a `-` before it; else by name."""
    key = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    return sorted(sorted(rows, key=SORTS["name"]), key=key, reverse=sort.startswith("-"))
