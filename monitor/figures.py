"""How busy guests and host are: rates from counters, every few seconds, into Redis."""

import logging
import time
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import redis

from hosts import figures
from instances.models import Instance
from live.channel import publish
from monitor.intake import Intake
from monitor.link import Link
from virt import hosts, stats
from virt.errors import if_supported
from virt.hosts import CpuTimes, HostFigures
from virt.stats import DomainSample

log = logging.getLogger(__name__)

Values = dict[str, float | None]

NANOSECONDS = 1e9
# Calls held by a QEMU each, with the one that runs.
MOST_HELD = 2
RATES = {
    "disk_read_rate": "block_read_bytes",
    "disk_write_rate": "block_write_bytes",
    "net_rx_rate": "net_rx_bytes",
    "net_tx_rate": "net_tx_bytes",
}


def grown(before: int | None, now: int | None) -> int | None:
    """How much a counter grew; None where it is not known, or began anew."""
    if before is None or now is None or now < before:
        return None
    return now - before


def guest_values(before: DomainSample | None, now: DomainSample, seconds: float) -> Values:
    """A guest's figures from two samples `seconds` apart; None is what they do not tell."""
    values: Values = {"cpu_percent": None, "memory_used_bytes": memory_used(now), **dict.fromkeys(RATES)}
    # A guest that was started again in between counts from nought: its other counters may be higher all the same.
    if before is None or seconds <= 0 or restarted(before, now):
        return values
    worked = grown(before.vcpu_time_ns, now.vcpu_time_ns)
    if now.vcpu_time_ns is None:
        worked = grown(before.cpu_time_ns, now.cpu_time_ns)
    if worked is not None and now.vcpus:
        values["cpu_percent"] = min(100.0, 100 * worked / (seconds * NANOSECONDS * now.vcpus))
    for name, counter in RATES.items():
        more = grown(getattr(before, counter), getattr(now, counter))
        values[name] = None if more is None else more / seconds
    return values


def restarted(before: DomainSample, now: DomainSample) -> bool:
    return before.cpu_time_ns is not None and now.cpu_time_ns is not None and now.cpu_time_ns < before.cpu_time_ns


def memory_used(now: DomainSample) -> float | None:
    """What the guest itself says it uses, caches left out; else what of its memory the host had to give so far."""
    if now.guest_total_bytes is not None and now.guest_available_bytes is not None:
        return max(0, now.guest_total_bytes - now.guest_available_bytes)
    if now.balloon_rss_bytes is None or now.balloon_bytes is None:
        return now.balloon_rss_bytes
    # QEMU's own memory is in it too.
    return min(now.balloon_rss_bytes, now.balloon_bytes)


def host_values(before: CpuTimes | None, now: HostFigures) -> Values:
    """A host's figures from its CPUs' counters before, and all of it now."""
    percent = None
    if before is not None and now.cpu is not None:
        busy, total = grown(before.busy_ns, now.cpu.busy_ns), grown(before.total_ns, now.cpu.total_ns)
        if busy is not None and total:
            percent = min(100.0, 100 * busy / total)
    return {
        "cpu_percent": percent,
        "memory_used_bytes": now.memory_total_bytes - now.memory_free_bytes,
        "memory_free_bytes": now.memory_free_bytes,
    }


@dataclass
class Minute:
    """The values of one minute, of which the hour's history keeps the averages."""

    number: int = 0
    values: dict[tuple[str, int], list[Values]] = field(default_factory=dict)

    def add(self, type: str, values: dict[int, Values]) -> None:
        for id, figures_now in values.items():
            self.values.setdefault((type, id), []).append(figures_now)

    def averages(self) -> dict[str, dict[int, Values]]:
        found: dict[str, dict[int, Values]] = {}
        for (type, id), several in self.values.items():
            found.setdefault(type, {})[id] = {name: average(values[name] for values in several) for name in several[0]}
        return found


def average(values: Iterable[float | None]) -> float | None:
    """The average of what is known, None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


class Sampler:
    """Reads the figures of one host again and again, and remembers what the next reading is compared with.

    The guests' bulk call runs aside, by another connection: it asks each QEMU, and one that is stuck would hold
    everything else. The next call passes over that one, since it is busy.
    """

    def __init__(self, host_id: int) -> None:
        self._host_id = host_id
        self._guests: dict[UUID, DomainSample] = {}
        self._guests_at = 0.0
        self._cpu: CpuTimes | None = None
        self._asked_at: float | None = None
        self._minute = Minute()

    def begin(self, link: Link, beside: Link, intake: Intake) -> None:
        """Read the host's figures, and ask for the guests', which come by `intake`. Raises VirtError."""
        host = if_supported(partial(link.call, hosts.figures))
        if host is not None:
            self._keep("host", {self._host_id: host_values(self._cpu, host)})
            self._cpu = host.cpu
        if self._asked_at is not None:
            # The last call is given up: a QEMU holds it. The host's own figures are told all the same.
            publish("figures", self._host_id)
        self._asked_at = at = time.monotonic()
        beside.aside(
            "figures", stats.sample, lambda answer: intake.answered(partial(self._finish, at, answer)), most=MOST_HELD
        )

    def _finish(self, at: float, answer: Future[dict[UUID, DomainSample]]) -> None:
        """Compare, store and publish the guests' figures as of `at`. Raises VirtError."""
        if at != self._asked_at:
            return
        self._asked_at = None
        samples = answer.result()
        ids = dict(Instance.objects.filter(host_id=self._host_id, uuid__in=samples).values_list("uuid", "pk"))
        seconds = at - self._guests_at
        guests = {
            ids[uuid]: guest_values(self._guests.get(uuid), now, seconds)
            for uuid, now in samples.items()
            if uuid in ids
        }
        self._guests, self._guests_at = samples, at
        self._keep("instance", guests)
        publish("figures", self._host_id)

    def _keep(self, type: str, values: dict[int, Values]) -> None:
        number = int(time.time()) // 60
        try:
            if number != self._minute.number:
                for kind, averages in self._minute.averages().items():
                    figures.store(kind, averages, minute=self._minute.number)
                self._minute = Minute(number)
            figures.store(type, values)
        except redis.RedisError as error:
            log.warning("Redis does not answer, figures are lost: %s", error)
        self._minute.add(type, values)


def forget(ids: list[int]) -> None:
    """Drop the figures of guests that are gone; without Redis there are none."""
    try:
        figures.forget("instance", ids)
    except redis.RedisError as error:
        log.warning("Redis does not answer: %s", error)
