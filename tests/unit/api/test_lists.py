"""Lists are narrowed, searched and put in order by their query string."""

from typing import Any

import pytest
from django.test import Client

from hosts.models import HostStatus
from storage.models import Volume
from tasks.models import Task
from tests.unit.world import World, make_instance, make_task

API = "/api/v1/"


@pytest.fixture
def reader(world: World) -> Client:
    return Client(headers={"Authorization": f"Bearer {world.token('admin')}"}, raise_request_exception=False)


def names(reader: Client, path: str, key: str = "name") -> list[str]:
    answer = reader.get(API + path)
    assert answer.status_code == 200, answer.content
    return [row[key] for row in answer.json()["results"]]


@pytest.fixture
def many(world: World) -> None:
    """A second one of each kind that differs from the first in what lists are narrowed by."""
    HostStatus.objects.filter(host=world.other_host).update(state="down")
    guest = make_instance(world.other_host, "db-1", state="running")
    type(guest).objects.filter(pk=guest.pk).update(title="Books", autostart=True, vcpus=8, tags=["prod"])
    Volume.objects.create(pool=world.pool, name="spare.qcow2", path="/pool/spare.qcow2", format="qcow2")
    make_task(world.admin, guest, kind="instances.shutdown", state=Task.State.FAILED)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("hosts/?state=down", ["kvm-02"]),
        ("hosts/?name=kvm-01", ["kvm-01"]),
        ("hosts/?uri=qemu:///system&state=up", ["kvm-01"]),
        ("hosts/?search=02", ["kvm-02"]),
        ("instances/?state=running", ["db-1"]),
        ("instances/?state=crashed", []),
        ("instances/?title=Books", ["db-1"]),
        ("instances/?autostart=true", ["db-1"]),
        ("instances/?tag=prod", ["db-1"]),
        ("instances/?search=kvm-02", ["db-1"]),
        ("pools/?type=dir&path=/pool&autostart=false", ["default"]),
        ("pools/?state=inactive", []),
        ("volumes/?used=true", ["web-1.qcow2"]),
        ("volumes/?used=false", ["boot.iso", "spare.qcow2"]),
        ("volumes/?format=iso", ["boot.iso"]),
        ("volumes/?path=/pool/spare.qcow2", ["spare.qcow2"]),
        ("networks/?active=true&bridge=virbr0&forward=nat&autostart=false", ["default"]),
        ("networks/?forward=route", []),
    ],
)
def test_a_list_is_narrowed(many: None, reader: Client, path: str, found: list[str]) -> None:
    assert names(reader, path) == found


def test_every_list_is_narrowed_to_ids(world: World, many: None, reader: Client) -> None:
    for path in ("hosts/", "instances/", "pools/", "volumes/", "networks/", "tasks/"):
        rows = reader.get(API + path).json()["results"]
        first, last = rows[0]["id"], rows[-1]["id"]
        assert set(names(reader, f"{path}?ids={first},{last},999999", "id")) == {first, last}


def test_tasks_are_narrowed_by_when_they_were_asked(world: World, many: None, reader: Client) -> None:
    moment = reader.get(f"{API}tasks/").json()["results"][0]["created_at"]
    assert names(reader, f"tasks/?created_after={moment}", "kind") == ["instances.shutdown"]
    assert names(reader, f"tasks/?created_before={moment}", "kind") == ["instances.start"]
    assert names(reader, f"tasks/?user={world.admin.pk}&state=failed&kind=instances.shutdown", "object")[0] is not None


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_no_calendar_has_is_an_error(reader: Client, moment: str) -> None:
    answer = reader.get(f"{API}tasks/", {"created_after": moment})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["created_after"])


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("hosts/?ordering=-name", ["kvm-02", "kvm-01"]),
        ("hosts/?ordering=state", ["kvm-02", "kvm-01"]),
        ("instances/?ordering=-vcpus", ["db-1", "web-1"]),
        ("instances/?ordering=-host,name", ["db-1", "web-1"]),
        ("instances/?ordering=host_name", ["web-1", "db-1"]),
        ("volumes/?ordering=-capacity_bytes,-name", ["web-1.qcow2", "spare.qcow2", "boot.iso"]),
    ],
)
def test_a_list_is_put_in_order(many: None, reader: Client, path: str, found: list[str]) -> None:
    assert names(reader, path) == found


def test_every_order_that_is_documented_is_understood(many: None, reader: Client) -> None:
    document = reader.get(f"{API}schema/").json()
    for path, methods in document["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["name"] == "ordering":
                every = ",".join(parameter["schema"]["items"]["enum"])
                assert reader.get(f"{path}?ordering={every}").status_code == 200, (path, every)


@pytest.mark.parametrize(
    "query",
    [
        "ordering=nope",
        "ordering=name,-xml",
        "limit=x",
        "limit=-1",
        "offset=1.5",
        "ids=x",
        "autostart=maybe",
        "state=on",
        "stat=running",
        "host_id=1",
    ],
)
def test_what_is_not_understood_is_an_error_of_its_name(world: World, reader: Client, query: str) -> None:
    answer = reader.get(f"{API}instances/?{query}")
    assert answer.status_code == 400
    errors: Any = answer.json()["errors"]
    assert list(errors) == [query.split("=")[0]]


@pytest.mark.parametrize("path", ["tasks/{0}/log/", "networks/{1}/leases/"])
def test_a_list_that_cannot_be_narrowed_says_so(world: World, reader: Client, path: str) -> None:
    answer = reader.get(API + path.format(world.task.pk, world.network.pk) + "?search=x")
    assert answer.status_code == 400
    assert "limit" in answer.json()["errors"]["search"][0]


def test_a_page_has_500_at_most(world: World, reader: Client) -> None:
    assert len(names(reader, "hosts/?limit=99999")) == 2
    assert names(reader, "hosts/?limit=1&offset=1") == ["kvm-02"]


def test_a_pool_and_its_volumes_are_stale_while_their_daemon_is_away_and_the_host_is_not(world: World) -> None:
    client = world.client("viewer")
    world.part_is_away("virtstoraged")
    since = {
        path: client.get(f"/api/v1/{path}/").json()["results"][0]["stale_since"]
        for path in ("pools", "volumes", "networks", "instances")
    }
    heard = "2026-11-24T12:03:00Z"
    assert since == {"pools": heard, "volumes": heard, "networks": None, "instances": None}


@pytest.mark.parametrize(("word", "count"), [("true", 1), ("1", 1), ("False", 1), ("0", 1), ("", 2)])
def test_what_is_true_or_false_is_written_as_programs_write_it(
    world: World, reader: Client, word: str, count: int
) -> None:
    """web-1.qcow2 is used, boot.iso is not."""
    answer = reader.get(f"{API}volumes/?used={word}").json()
    assert answer["count"] == count
    assert {one["name"] for one in answer["results"]} >= ({"web-1.qcow2"} if word in ("true", "1") else {"boot.iso"})
