"""Rates from counters: what is not known is None, and nothing is negative or huge."""

import pytest

from monitor.figures import Minute, guest_values, host_values
from virt.hosts import CpuTimes, HostFigures
from virt.stats import DomainSample

SECOND = 1_000_000_000
MIB = 1024**2
UNKNOWN = ("cpu_percent", "disk_read_rate", "disk_write_rate", "net_rx_rate", "net_tx_rate")


def sample(**values: int | None) -> DomainSample:
    counters: dict[str, int | None] = {
        "cpu_time_ns": 10 * SECOND, "vcpu_time_ns": None, "balloon_bytes": 512 * MIB, "balloon_rss_bytes": 200 * MIB,
        "guest_total_bytes": None, "guest_available_bytes": None, "block_read_bytes": 1000,
        "block_write_bytes": 1000, "net_rx_bytes": 1000, "net_tx_bytes": 1000,
    }  # fmt: skip
    return DomainSample(**{"vcpus": 2, **counters, **values})  # type: ignore[arg-type]


def test_rates_are_by_the_second_and_cpu_is_of_the_guests_own() -> None:
    now = sample(cpu_time_ns=15 * SECOND, block_read_bytes=6000, net_tx_bytes=1500)
    values = guest_values(sample(), now, 5.0)
    assert values == {
        "cpu_percent": 50.0,
        "memory_used_bytes": 200 * MIB,
        "disk_read_rate": 1000.0,
        "disk_write_rate": 0.0,
        "net_rx_rate": 0.0,
        "net_tx_rate": 100.0,
    }


def test_the_first_sample_tells_no_rate() -> None:
    values = guest_values(None, sample(), 5.0)
    assert all(values[name] is None for name in UNKNOWN)


def test_a_guest_that_was_started_again_tells_no_rate_though_it_has_read_more_since() -> None:
    values = guest_values(sample(), sample(cpu_time_ns=SECOND, block_read_bytes=10**12), 5.0)
    assert all(values[name] is None for name in UNKNOWN)


def test_a_counter_that_went_back_is_unknown_alone() -> None:
    values = guest_values(sample(), sample(cpu_time_ns=11 * SECOND, block_read_bytes=0), 5.0)
    assert values["disk_read_rate"] is None
    assert values["disk_write_rate"] == 0.0
    assert values["cpu_percent"] == 10.0


@pytest.mark.parametrize("order", [(None, 10**12), (10**12, None)])
def test_a_counter_that_a_busy_guest_did_not_tell_makes_no_leap(order: tuple[int | None, int | None]) -> None:
    before, now = (sample(block_read_bytes=value) for value in order)
    assert guest_values(before, now, 5.0)["disk_read_rate"] is None


def test_cpu_is_never_over_a_hundred() -> None:
    assert guest_values(sample(), sample(cpu_time_ns=1000 * SECOND), 5.0)["cpu_percent"] == 100.0


def test_memory_is_what_the_guest_says_before_what_its_process_takes() -> None:
    told = sample(guest_total_bytes=490 * MIB, guest_available_bytes=390 * MIB)
    assert guest_values(None, told, 5.0)["memory_used_bytes"] == 100 * MIB
    assert guest_values(None, sample(balloon_rss_bytes=700 * MIB), 5.0)["memory_used_bytes"] == 512 * MIB
    assert guest_values(None, sample(), 5.0)["memory_used_bytes"] == 200 * MIB


def test_cpu_is_that_of_the_guests_processors_where_they_are_counted() -> None:
    before = sample(vcpu_time_ns=5 * SECOND)
    now = sample(cpu_time_ns=20 * SECOND, vcpu_time_ns=10 * SECOND)
    assert guest_values(before, now, 5.0)["cpu_percent"] == 50.0
    assert guest_values(None, sample(balloon_rss_bytes=None), 5.0)["memory_used_bytes"] is None


def test_a_hosts_cpu_is_what_worked_of_all_there_was() -> None:
    before = CpuTimes(user_ns=100, kernel_ns=100, idle_ns=800, iowait_ns=0)
    now = CpuTimes(user_ns=150, kernel_ns=150, idle_ns=1100, iowait_ns=0)
    values = host_values(before, HostFigures(now, 8 * MIB, 3 * MIB))
    assert values == {"cpu_percent": 25.0, "memory_used_bytes": 5 * MIB, "memory_free_bytes": 3 * MIB}
    assert host_values(before, HostFigures(None, 8, 3))["cpu_percent"] is None


def test_a_minute_keeps_the_average_of_what_is_known() -> None:
    minute = Minute(1)
    for cpu in (10.0, None, 30.0):
        minute.add("instance", {7: {"cpu_percent": cpu, "net_rx_rate": None}})
    assert minute.averages() == {"instance": {7: {"cpu_percent": 20.0, "net_rx_rate": None}}}
