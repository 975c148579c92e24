"""A host of libvirt's own test driver, read without the monitor's threads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hosts.models import Host, HostStatus
from monitor.intake import Intake
from monitor.link import Link
from virt.access import Access

NODE = Path(__file__).parent / "node.xml"


@pytest.fixture
def host(db: None) -> Host:
    host = Host.objects.create(name="kvm-01", uri=f"test://{NODE}")
    HostStatus.objects.create(host=host)
    return host


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def link(host: Host, intake: Intake) -> Iterator[Link]:
    # A driver of its own for each connection: what others do to it, tests do by the same link.
    link = Link(Access(host.uri), note=intake.happened, closed=intake.wake)
    yield link
    link.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """What open pages hear of, in place of the live stream."""
    heard: list[tuple[str, int, str]] = []

    def publish(type: str, id: int, change: str = "changed") -> None:
        heard.append((type, id, change))

    for module in ("rows", "status", "figures"):
        monkeypatch.setattr(f"monitor.{module}.publish", publish)
    return heard


Told = list[tuple[str, int, str]]
Values = dict[str, Any]
