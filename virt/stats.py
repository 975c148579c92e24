"""How busy the guests are."""

from dataclasses import dataclass
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.domains import nowait
from virt.errors import InvalidState, NotFound, Unsupported, if_supported
from virt.translate import translated_errors

_KIB = 1024
_GROUPS = (
    libvirt.VIR_DOMAIN_STATS_STATE
    | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)


@dataclass(frozen=True)
class DomainSample:
    """Counters of a running guest since it started.

    None is what the driver does not count, the guest does not report, or a busy QEMU was not asked for.
    `cpu_time_ns` is its whole process's, `vcpu_time_ns` its processors' together. `guest_total_bytes` and
    `guest_available_bytes` are the guest's own words; they are old ones where its balloon has no period.
    """

    cpu_time_ns: int | None
    vcpu_time_ns: int | None
    vcpus: int
    balloon_bytes: int | None
    balloon_rss_bytes: int | None
    guest_total_bytes: int | None
    guest_available_bytes: int | None
    block_read_bytes: int | None
    block_write_bytes: int | None
    net_rx_bytes: int | None
    net_tx_bytes: int | None


@translated_errors()
def sample(conn: Connection) -> dict[UUID, DomainSample]:
    """Return the counters of all active domains in one call, not waiting for busy ones.

    Where the driver has no such call, processors and memory alone, by two calls for each domain.
    (virConnectGetAllDomainStats, or virDomainGetInfo and virDomainMemoryStats)
    """
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | nowait(conn)
    try:
        with translated_errors():
            told = conn.handle.getAllDomainStats(_GROUPS, flags)
    except Unsupported:
        return _one_by_one(conn)
    return {UUID(domain.UUIDString()): _sample(figures) for domain, figures in told}


def _one_by_one(conn: Connection) -> dict[UUID, DomainSample]:
    found = {}
    for domain in conn.handle.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        try:
            found[UUID(domain.UUIDString())] = _sample(_figures(domain))
        except (NotFound, InvalidState):
            continue  # ended since it was listed
    return found


@translated_errors()
def _figures(domain: libvirt.virDomain) -> dict[str, int]:
    """Its counters by the names that they have in the bulk call."""

    @translated_errors()
    def memory() -> dict[str, int]:
        told: dict[str, int] = domain.memoryStats()
        return told

    names = {"actual": "balloon.current", "rss": "balloon.rss"}
    _state, _most, _now, vcpus, cpu_time = domain.info()
    figures = {"cpu.time": cpu_time, "vcpu.current": vcpus}
    return figures | {names[name]: kib for name, kib in (if_supported(memory) or {}).items() if name in names}


def _sample(figures: dict[str, int]) -> DomainSample:
    return DomainSample(
        cpu_time_ns=figures.get("cpu.time"),
        vcpu_time_ns=_vcpu_time(figures),
        vcpus=figures.get("vcpu.current", 0),
        balloon_bytes=_bytes(figures, "balloon.current"),
        balloon_rss_bytes=_bytes(figures, "balloon.rss"),
        guest_total_bytes=_bytes(figures, "balloon.available"),
        guest_available_bytes=_bytes(figures, "balloon.usable"),
        block_read_bytes=_sum(figures, "block", "rd.bytes"),
        block_write_bytes=_sum(figures, "block", "wr.bytes"),
        net_rx_bytes=_sum(figures, "net", "rx.bytes"),
        net_tx_bytes=_sum(figures, "net", "tx.bytes"),
    )


def _vcpu_time(figures: dict[str, int]) -> int | None:
    """Processors that were taken out leave gaps in the numbers."""
    numbers = range(figures.get("vcpu.maximum", 0))
    times = [figures[name] for number in numbers if (name := f"vcpu.{number}.time") in figures]
    return sum(times) if times else None


def _bytes(figures: dict[str, int], name: str) -> int | None:
    kib = figures.get(name)
    return None if kib is None else kib * _KIB


def _sum(figures: dict[str, int], group: str, counter: str) -> int | None:
    count = figures.get(f"{group}.count")
    if count == 0:
        return 0
    counted = [figures[name] for index in range(count or 0) if (name := f"{group}.{index}.{counter}") in figures]
    return sum(counted) if counted else None
