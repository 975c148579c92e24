"""tasks/, hosts/ and uploads/: waiting, cancelling, adding a host, and opening an upload."""

import base64
import json
import time
from typing import Any

import pytest
from django.test import Client

from hosts.models import Host
from storage.models import Upload
from tasks.models import Task
from tests.unit.world import World, make_task

API = "/api/v1/"


def as_(world: World, name: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {world.token(name)}"}, raise_request_exception=False)


def test_an_answer_is_held_until_the_task_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(world.operator, world.instance)
    looks: list[float] = []

    def end_soon(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            Task.objects.filter(pk=task.pk).update(state="succeeded")

    monkeypatch.setattr("api.tasks.time.sleep", end_soon)
    answer = as_(world, "operator").get(f"{API}tasks/{task.pk}/?wait=30")
    assert answer.json()["state"] == "succeeded"
    assert len(looks) == 3


def test_an_answer_is_not_held_for_longer_than_was_asked(world: World) -> None:
    task = make_task(world.operator, world.instance)
    begun = time.monotonic()
    answer = as_(world, "operator").get(f"{API}tasks/{task.pk}/?wait=0.3")
    assert 0.3 <= time.monotonic() - begun < 10  # the longest that can be asked for is 30
    assert answer.json()["state"] == "queued"


@pytest.mark.parametrize("wait", ["x", "-1", "nan", "inf", ""])
def test_a_strange_wait_is_400_or_none(world: World, wait: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.tasks.LONGEST_WAIT", 0.2)
    task = make_task(world.operator, world.instance)
    assert as_(world, "operator").get(f"{API}tasks/{task.pk}/?wait={wait}").status_code in (200, 400)


def test_a_task_is_cancelled_by_who_may(world: World) -> None:
    task = make_task(world.manager, world.instance)
    path = f"{API}tasks/{task.pk}/cancel"
    assert as_(world, "stranger").post(path).status_code == 404
    assert as_(world, "viewer").post(path).status_code == 403
    answer = as_(world, "operator").post(path)
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert as_(world, "operator").post(path).status_code == 409
    lines = as_(world, "viewer").get(f"{API}tasks/{task.pk}/log").json()
    assert lines["count"] == 1
    assert "operator" in lines["results"][0]["text"]


def test_a_host_is_added_by_an_admin_alone(world: World) -> None:
    asked = json.dumps({"name": "kvm-03", "uri": "qemu+tcp://10.0.0.3/system"})

    def add(name: str, body: str = asked) -> Any:
        return as_(world, name).post(f"{API}hosts/", body, content_type="application/json")

    for name in ("viewer", "operator", "manager", "stranger"):
        assert add(name).status_code == 403
    answer = add("admin")
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["name"]) == ("connecting", "kvm-03")
    assert answer["Location"] == f"http://testserver/api/v1/hosts/{answer.json()['id']}/"
    again = add("admin")
    assert (again.status_code, list(again.json()["errors"])) == (400, ["name"])
    assert add("admin", "{}").json()["errors"].keys() == {"name", "uri"}
    assert add("admin", json.dumps({"name": "x" * 201, "uri": "qemu:///system"})).status_code == 400
    assert add("admin", json.dumps({"name": "y", "uri": "not an address"})).json()["errors"].keys() == {"uri"}
    assert Host.objects.count() == 3


def opened(world: World, name: str, *, length: str = "5", version: str = "1.0.0", **metadata: str) -> Any:
    told = {"pool": str(world.pool.pk), "filename": "new.iso", **metadata}
    pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
    headers = {"Tus-Resumable": version, "Upload-Length": length, "Upload-Metadata": pairs}
    return as_(world, name).post(f"{API}uploads/", headers=headers)


def test_an_upload_is_opened_looked_at_and_ended(world: World) -> None:
    answer = opened(world, "manager")
    assert answer.status_code == 201, answer.content
    upload = Upload.objects.get()
    assert answer["Location"] == f"http://testserver/api/v1/uploads/{upload.pk}/"
    assert answer["Tus-Resumable"] == "1.0.0"
    tus = {"Tus-Resumable": "1.0.0"}
    head = as_(world, "manager").head(answer["Location"], headers=tus)
    assert (head.status_code, head["Upload-Offset"], head["Upload-Length"]) == (200, "0", "5")
    assert head["Cache-Control"] == "no-store"
    assert as_(world, "operator").head(answer["Location"], headers=tus).status_code == 404
    assert as_(world, "operator").delete(answer["Location"], headers=tus).status_code == 404
    assert as_(world, "manager").delete(answer["Location"], headers=tus).status_code == 204
    assert as_(world, "manager").head(answer["Location"], headers=tus).status_code == 404


def test_what_tus_understands_here_is_told(world: World) -> None:
    answer = as_(world, "viewer").options(f"{API}uploads/")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert answer["Tus-Extension"] == "creation,termination,checksum"


@pytest.mark.parametrize(
    ("name", "asked", "status"),
    [
        ("operator", {}, 403),
        ("stranger", {}, 404),
        ("manager", {"version": "0.2"}, 412),
        ("manager", {"length": "x"}, 400),
        ("manager", {"length": "-5"}, 400),
        ("manager", {"length": "9" * 30}, 400),
        ("manager", {"length": str(10**15)}, 507),
        ("manager", {"length": "0"}, 400),
        ("manager", {"pool": "999"}, 404),
        ("manager", {"pool": "x"}, 400),
        ("manager", {"filename": "../x"}, 400),
        ("manager", {"filename": "x" * 300}, 400),
        ("manager", {"filename": "boot.iso"}, 400),
        ("manager", {"sha256": "zz"}, 400),
    ],
)
def test_an_upload_that_cannot_be_is_a_problem(world: World, name: str, asked: dict[str, str], status: int) -> None:
    answer = opened(world, name, **asked)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not Upload.objects.exists()


def test_metadata_that_is_not_base64_is_a_problem(world: World) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": "filename !!!"}
    answer = as_(world, "manager").post(f"{API}uploads/", headers=headers)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["filename"])
