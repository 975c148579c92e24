"""Several guests at once: one task each, and one word each where there is none."""

import json
from typing import Any

import pytest

from accounts.models import Grant, Role
from instances.models import Instance
from tasks.models import Task
from tests.unit.world import World, grant, make_instance

PATH = "/instances/bulk/"


@pytest.fixture(autouse=True)
def nothing_asked_yet(world: World) -> None:
    Task.objects.all().delete()


def ask(world: World, name: str = "operator", **data: Any) -> Any:
    return world.client(name).post(PATH, data, headers={"X-Webvirt-Toast": "1"})


def test_each_gets_a_task(world: World) -> None:
    other = make_instance(world.host, "web-2")
    answer = ask(world, verb="start", ids=[world.instance.pk, other.pk], idempotency_key="once")
    assert [result["name"] for result in answer.json()["results"]] == ["web-1", "web-2"]
    assert {task.object_name: task.kind for task in Task.objects.all()} == {
        "web-1": "instances.start",
        "web-2": "instances.start",
    }
    ask(world, verb="start", ids=[world.instance.pk, other.pk], idempotency_key="once")
    assert Task.objects.count() == 2


def test_what_cannot_be_is_told_one_by_one_and_stops_no_other(world: World) -> None:
    running = make_instance(world.host, "runs", Instance.State.RUNNING)
    seen = make_instance(world.other_host, "seen")
    hidden = make_instance(world.other_host, "hidden")
    grant(world.operator, Role.VIEWER, Grant.Scope.INSTANCE, world.other_host, seen.uuid)
    answer = ask(world, verb="start", ids=[world.instance.pk, running.pk, seen.pk, hidden.pk, 999999])
    told = {result["id"]: result.get("problem", {}).get("title") for result in answer.json()["results"]}
    assert told == {
        world.instance.pk: None,
        running.pk: "Not possible in this state",
        seen.pk: "Not allowed",
        hidden.pk: "No such guest",
        999999: "No such guest",
    }
    assert "hidden" not in answer.content.decode()
    assert [task.object_name for task in Task.objects.all()] == ["web-1"]


def test_a_host_that_is_down_is_told_of_each_of_its_guests(world: World) -> None:
    far = make_instance(world.other_host, "far")
    world.host_is_down()
    answer = ask(world, "admin", verb="start", ids=[world.instance.pk, far.pk])
    told = {result["name"]: "task" in result for result in answer.json()["results"]}
    assert told == {"web-1": False, "far": True}


@pytest.mark.parametrize(
    "data", [{"verb": "start"}, {"verb": "nonsense", "ids": "1"}, {"verb": "start", "ids": "x"}, {"ids": "1"},
             {"verb": "start", "ids": [str(id) for id in range(501)]}],
)  # fmt: skip
def test_a_wrong_request_is_refused_as_a_whole(world: World, data: dict[str, Any]) -> None:
    assert ask(world, **data).status_code == 400
    assert not Task.objects.exists()


def test_without_scripts_the_next_page_tells(world: World) -> None:
    running = make_instance(world.host, "runs", Instance.State.RUNNING)
    answer = world.client("operator").post(PATH, {"verb": "start", "ids": [world.instance.pk, running.pk]}, follow=True)
    page = answer.content.decode()
    assert "1 change was asked for." in page
    assert "runs: runs is in the state" in page


def test_the_list_says_what_each_guest_allows(world: World) -> None:
    assert 'data-can="start"' in world.client("operator").get("/instances/").content.decode()
    assert 'data-can="start delete"' in world.client("manager").get("/instances/").content.decode()
    assert "data-can=" not in world.client("viewer").get("/instances/").content.decode()


def test_deleting_several_says_what_goes_and_takes_it(world: World) -> None:
    other = make_instance(world.host, "web-2")
    page = world.client("manager").get(f"/instances/delete/?ids={world.instance.pk},{other.pk}").content.decode()
    assert "Delete 2 guests?" in page
    assert "web-1.qcow2" in page
    assert "10.0 GiB" in page
    answer = ask(world, "manager", verb="delete", ids=[world.instance.pk, other.pk], volumes="delete")
    assert all("task" in result for result in answer.json()["results"])
    gone = {task.object_name: [volume["name"] for volume in task.arguments["volumes"]] for task in Task.objects.all()}
    assert gone == {"web-1": ["web-1.qcow2"], "web-2": []}


def test_deleting_several_keeps_their_disks_unless_asked(world: World) -> None:
    ask(world, "manager", verb="delete", ids=[world.instance.pk])
    assert Task.objects.get().arguments["volumes"] == []


def test_nobody_else_may_delete_several(world: World) -> None:
    answer = ask(world, "operator", verb="delete", ids=[world.instance.pk])
    assert answer.json()["results"][0]["problem"]["title"] == "Not allowed"
    page = world.client("operator").get(f"/instances/delete/?ids={world.instance.pk}").content.decode()
    assert "web-1" not in page


def test_a_program_asks_for_several_tasks_by_their_ids(world: World) -> None:
    other = make_instance(world.host, "web-2")
    results = ask(world, verb="start", ids=[world.instance.pk, other.pk]).json()["results"]
    ids = [result["task"]["id"] for result in results]
    client = world.client("operator")
    found = json.loads(client.get(f"/api/v1/tasks/?ids={ids[0]},{ids[1]}").content)
    assert sorted(task["id"] for task in found["results"]) == sorted(ids)
    assert client.get("/api/v1/tasks/?ids=x").status_code == 400
