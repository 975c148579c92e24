"""A host that comes back: what lists show is true at once, and definitions are until they are read again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from hosts import figures
from hosts.models import Host, HostStatus
from instances.models import Instance
from monitor.link import Link
from monitor.reader import HostReader
from tests.fleet import write_node
from tests.waiting import wait_for
from virt import domains

GUESTS = 300


def make_host(folder: Path, guests: int) -> tuple[Host, list[UUID]]:
    """A host that was read long ago: all its guests were off, and had no definitions."""
    uuids = [uuid4() for _ in range(guests)]
    write_node(folder / f"{guests}.xml", {uuid: f"guest-{number}" for number, uuid in enumerate(uuids)})
    host = Host.objects.create(name=f"with-{guests}", uri=f"test://{folder / f'{guests}.xml'}")
    HostStatus.objects.create(host=host, capabilities_xml="<capabilities/>", synced_at=host.created_at)
    Instance.objects.bulk_create(Instance(host=host, uuid=uuid, name="old", state="shutoff") for uuid in uuids)
    return host, uuids


@contextmanager
def reading(host: Host) -> Iterator[None]:
    reader = HostReader(host, may_write=lambda: True)
    reader.start()
    try:
        yield
    finally:
        reader.stop()
        assert reader.join(10)


@pytest.mark.django_db(transaction=True)
def test_state_and_figures_are_true_at_once_and_definitions_later(
    tmp_path: Path, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    ask_host = Link.long_call

    def held(link: Link, seconds: float, ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if ask is domains.describe:
            looked.wait(30)
        return ask_host(link, seconds, ask, *args, **kwargs)

    monkeypatch.setattr(Link, "long_call", held)
    host, _ = make_host(tmp_path, GUESTS)
    guests = Instance.objects.filter(host=host)
    ids = list(guests.values_list("pk", flat=True))
    with reading(host):
        wait_for(lambda: HostStatus.objects.get(host=host).is_up)
        assert not guests.exclude(state="running").exists()
        assert not guests.filter(name="old").exists()
        assert HostStatus.objects.get(host=host).reads_definitions
        assert guests.filter(xml="").count() == GUESTS, "definitions follow"
        looked.set()
        wait_for(lambda: len(figures.latest("instance", ids)) == GUESTS)
        wait_for(lambda: not HostStatus.objects.get(host=host).reads_definitions, 30)
        assert not guests.filter(xml="").exists()


@pytest.mark.django_db(transaction=True)
def test_the_calls_until_it_is_up_do_not_grow_with_the_guests(
    tmp_path: Path, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask_host = Link.long_call

    def counted(link: Link, seconds: float, ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if threading.current_thread().name.startswith("host "):
            asked.append(f"{ask.__module__}.{ask.__name__}")
        return ask_host(link, seconds, ask, *args, **kwargs)

    monkeypatch.setattr(Link, "long_call", counted)
    until_up = []
    for count in (2, GUESTS):
        host, _ = make_host(tmp_path, count)
        asked.clear()
        with reading(host):
            # A host is up before the first definition is read.
            wait_for(lambda: "virt.domains.describe" in asked)
            assert HostStatus.objects.get(host=host).is_up
        until_up.append(asked[: asked.index("virt.domains.describe")])
    assert until_up[0] == until_up[1]
