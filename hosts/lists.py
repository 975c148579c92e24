"""Hosts as the pages show them: rows with figures and counts, in a constant number of queries."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils import timezone

from accounts.rights import most
from hosts import figures
from hosts.models import Host, HostQuerySet

Points = list[float | None]


@dataclass(frozen=True)
class HostRow:
    """A host, its figures now and in the last hour, and how much it has of what.

    `counts` are None where the user may see only some of its guests, pools or networks.
    """

    host: Host
    now: dict[str, float | None]
    hour: list[tuple[int, dict[str, float | None]]]
    counts: dict[str, int] | None

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
        used, total = self.memory_now, self.host.status.memory_bytes
        return round(used / total * 100, 1) if used and total else 0.0


def rows_of(hosts: HostQuerySet, user: Any) -> list[HostRow]:
    """The hosts' rows; three queries and two calls of Redis, however many there are."""
    counted = hosts.with_status().annotate(
        guest_count=Count("instances", distinct=True),
        pool_count=Count("pools", distinct=True),
        network_count=Count("networks", distinct=True),
    )
    shown: list[Any] = list(counted)
    allowed = most(user, [host.ref for host in shown])
    up = [host.pk for host in shown if host.status.is_up]
    now, hour = figures.latest("host", up), figures.hour("host", up)
    return [
        HostRow(
            host=host,
            now=now.get(host.pk, {}),
            hour=hour.get(host.pk, []),
            counts={"guests": host.guest_count, "pools": host.pool_count, "networks": host.network_count}
            if host.ref in allowed
            else None,
        )
        for host in shown
    ]


SORTS: dict[str, Callable[[HostRow], Any]] = {
    "name": lambda row: row.host.name,
    "state": lambda row: row.host.status.state,
    "guests": lambda row: (row.counts or {}).get("guests", 0),
    "cpu": lambda row: row.cpu_now or 0,
    "memory": lambda row: row.memory_percent,
}


def ordered(rows: list[HostRow], sort: str) -> list[HostRow]:
    """The rows in the order that `sort` names, backwards with a `-` before it; else by name."""
    key = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    return sorted(sorted(rows, key=SORTS["name"]), key=key, reverse=sort.startswith("-"))
