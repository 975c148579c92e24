"""How busy the guests are."""

from dataclasses import dataclass
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.domains import nowait
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

    `balloon_unused_bytes` is None where the guest does not report it; what a driver does not count
    is 0.
    """

    cpu_time_ns: int
    vcpus: int
    balloon_bytes: int
    balloon_rss_bytes: int
    balloon_unused_bytes: int | None
    block_read_bytes: int
    block_write_bytes: int
    net_rx_bytes: int
    net_tx_bytes: int


@translated_errors()
def sample(conn: Connection) -> dict[UUID, DomainSample]:
    """Return the counters of all active domains in one call, not waiting for busy ones.

    (virConnectGetAllDomainStats)
    """
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | nowait(conn)
    return {
        UUID(domain.UUIDString()): _sample(figures) for domain, figures in conn.handle.getAllDomainStats(_GROUPS, flags)
    }


def _sample(figures: dict[str, int]) -> DomainSample:
    unused = figures.get("balloon.unused")
    return DomainSample(
        cpu_time_ns=figures.get("cpu.time", 0),
        vcpus=figures.get("vcpu.current", 0),
        balloon_bytes=figures.get("balloon.current", 0) * _KIB,
        balloon_rss_bytes=figures.get("balloon.rss", 0) * _KIB,
        balloon_unused_bytes=None if unused is None else unused * _KIB,
        block_read_bytes=_sum(figures, "block", "rd.bytes"),
        block_write_bytes=_sum(figures, "block", "wr.bytes"),
        net_rx_bytes=_sum(figures, "net", "rx.bytes"),
        net_tx_bytes=_sum(figures, "net", "tx.bytes"),
    )


def _sum(figures: dict[str, int], group: str, counter: str) -> int:
    count = figures.get(f"{group}.count", 0)
    return sum(figures.get(f"{group}.{index}.{counter}", 0) for index in range(count))
