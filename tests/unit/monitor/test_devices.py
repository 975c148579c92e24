"""A host's devices as rows, read rarely."""

from concurrent.futures import Future
from dataclasses import replace

import pytest

from hosts.models import Device, Host
from monitor import devices
from monitor.devices import DeviceClock
from tests.unit.monitor.conftest import Told
from virt.devices import DeviceFacts
from virt.errors import Unsupported

CARD = DeviceFacts("net_eno1", "net", "eno1", "52:54:00:aa:01:02", link=True)
DISK = DeviceFacts("block_sda", "disk", "ATA Samsung", "/dev/sda", size_bytes=500)


@pytest.fixture(autouse=True)
def _told_of(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    def publish(type: str, id: int, change: str = "changed") -> None:
        told.append((type, id, change))

    monkeypatch.setattr("monitor.devices.publish", publish)


def take_in(host: Host, *found: DeviceFacts, error: Exception | None = None) -> None:
    answer: Future[list[DeviceFacts]] = Future()
    if error is None:
        answer.set_result(list(found))
    else:
        answer.set_exception(error)
    devices.take_in(host.pk, answer)


def test_devices_come_change_and_go_and_the_page_hears_of_it_once_each(host: Host, told: Told) -> None:
    take_in(host, CARD, DISK)
    take_in(host, CARD, DISK)
    assert told == [("host", host.pk, "changed")]
    take_in(host, replace(CARD, link=False), DISK)
    assert Device.objects.get(name="net_eno1").link is False
    take_in(host, DISK)
    assert list(Device.objects.values_list("name", "size_bytes")) == [("block_sda", 500)]
    assert told == [("host", host.pk, "changed")] * 3


def test_a_driver_that_tells_of_none_has_none(host: Host) -> None:
    take_in(host, CARD)
    take_in(host, error=Unsupported())
    assert not Device.objects.exists()


def test_a_makers_endless_words_are_cut(host: Host) -> None:
    take_in(host, replace(DISK, title="x" * 1000))
    assert len(Device.objects.get().title) == 300


def test_devices_are_read_at_once_then_rarely_and_sooner_once_they_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("monitor.devices.time.monotonic", lambda: now[0])
    clock = DeviceClock()
    assert clock.is_due()
    assert not clock.is_due()
    clock.changed()
    now[0] += 30
    assert not clock.is_due(), "a guest's start is no reason to read all at once"
    now[0] += 31
    assert clock.is_due()
    now[0] += 599
    assert not clock.is_due()
    now[0] += 1
    assert clock.is_due()
