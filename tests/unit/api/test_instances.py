"""instances/: what can be asked for by a program, and what it hears."""

import base64
import json
import uuid
from typing import Any

import pytest
from django.test import Client

from instances.models import Instance
from tasks.errors import HostAway
from tasks.models import Task
from tests.unit.world import GIB, World

API = "/api/v1/"
PNG = b"\x89PNG\r\n\x1a\n"


def as_(world: World, name: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {world.token(name)}"}, raise_request_exception=False)


@pytest.fixture
def manager(world: World) -> Client:
    return as_(world, "manager")


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    call = getattr(client, method)
    if body is None:
        return call(API + path, headers=headers)
    return call(API + path, json.dumps(body), content_type="application/json", headers=headers)


def state(world: World, state: str) -> None:
    Instance.objects.filter(pk=world.instance.pk).update(state=state)


ACTIONS = {
    "start": "shutoff",
    "shutdown": "running",
    "reboot": "running",
    "reset": "running",
    "destroy": "running",
    "suspend": "running",
    "resume": "paused",
    "save": "running",
}


@pytest.mark.parametrize(("action", "needed"), ACTIONS.items())
@pytest.mark.parametrize("spelling", ["", "/"])
def test_an_action_answers_its_task(world: World, action: str, needed: str, spelling: str) -> None:
    state(world, needed)
    answer = send(as_(world, "operator"), "post", f"instances/{world.instance.pk}/{action}{spelling}")
    assert answer.status_code == 202
    shape = answer.json()["task"]
    assert answer["Location"] == f"http://testserver/api/v1/tasks/{shape['id']}/"
    assert (shape["kind"], shape["state"], shape["object"]["id"]) == (
        f"instances.{action}",
        "queued",
        world.instance.pk,
    )
    assert shape["user_name"] == "operator"
    assert shape["log_url"].startswith("http://testserver/")


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_the_state_forbids_is_409_in_words(world: World, action: str) -> None:
    state(world, "running" if ACTIONS[action] != "running" else "shutoff")
    answer = send(as_(world, "operator"), "post", f"instances/{world.instance.pk}/{action}")
    assert answer.status_code == 409
    assert "web-1" in answer.json()["detail"]


def test_saved_memory_is_told_and_thrown_away(world: World) -> None:
    client, path = as_(world, "operator"), f"instances/{world.instance.pk}/"
    assert send(client, "delete", f"{path}save").status_code == 409
    Instance.objects.update(has_managed_save=True)
    assert send(client, "get", path).json()["saved"] is True
    answer = send(client, "delete", f"{path}save")
    assert (answer.status_code, answer.json()["task"]["kind"]) == (202, "instances.discard")
    assert send(as_(world, "viewer"), "delete", f"{path}save").status_code == 403


def test_a_start_from_the_cd_needs_a_cd(world: World) -> None:
    client, path = as_(world, "operator"), f"instances/{world.instance.pk}/start_from_cd"
    assert send(client, "post", path).status_code == 409
    world.instance.disks[1]["path"] = world.iso.path
    world.instance.save()
    answer = send(client, "post", path)
    assert (answer.status_code, answer.json()["task"]["kind"]) == (202, "instances.start_from_cd")


def test_a_host_that_is_away_is_503_and_no_task(world: World) -> None:
    world.host_is_down()
    for method, path, body in (
        ("post", f"instances/{world.instance.pk}/start", None),
        ("patch", f"instances/{world.instance.pk}/", {"autostart": True}),
        ("delete", f"instances/{world.instance.pk}/", None),
        ("post", f"instances/{world.instance.pk}/media", {"volume": world.iso.pk}),
        ("post", "instances/", {"host": world.host.pk, "name": "new"}),
        ("post", f"instances/{world.instance.pk}/console", {"type": "vnc"}),
        ("get", f"instances/{world.instance.pk}/screenshot", None),
    ):
        answer = send(as_(world, "manager"), method, path, body)
        assert answer.status_code == 503, (method, path, answer.content)
        assert "kvm-01" in answer.json()["detail"]
    assert Task.objects.count() == 1


def test_a_repeated_key_is_one_task_and_another_body_422(world: World, manager: Client) -> None:
    path = f"instances/{world.instance.pk}/"
    first = send(manager, "patch", path, {"autostart": True}, **{"Idempotency-Key": "k"})
    again = send(manager, "patch", path, {"autostart": True}, **{"Idempotency-Key": "k"})
    assert first.status_code == again.status_code == 202
    assert first.json()["task"]["id"] == again.json()["task"]["id"]
    assert send(manager, "patch", path, {"autostart": False}, **{"Idempotency-Key": "k"}).status_code == 422
    assert send(manager, "post", f"{path}start", **{"Idempotency-Key": "k"}).status_code == 422
    assert send(manager, "post", f"{path}start", **{"Idempotency-Key": "k" * 201}).status_code == 400
    assert Task.objects.count() == 2


def test_creating_twice_with_one_key_is_one_guest(world: World, manager: Client) -> None:
    asked = {"host": world.host.pk, "name": "new", "disks": [{"pool": world.pool.pk, "size_bytes": GIB}]}
    answers = [send(manager, "post", "instances/", asked, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["task"]["id"] == answers[1].json()["task"]["id"]
    assert answers[0].json()["task"]["object"] == {
        **answers[1].json()["task"]["object"],
        "type": "instance",
        "id": None,
        "name": "new",
        "host": world.host.pk,
        "host_name": "kvm-01",
    }


def test_a_new_guest_has_the_defaults(world: World, manager: Client) -> None:
    asked = {
        "host": world.host.pk,
        "name": "新机",
        "os": "debian12",
        "graphics": "vnc",
        "cdrom": {"volume": world.iso.pk},
        "disks": [{"pool": world.pool.pk, "size_bytes": GIB}, {"pool": world.pool.pk, "size_bytes": GIB}],
    }
    answer = send(manager, "post", "instances/", asked)
    assert answer.status_code == 202, answer.content
    made = Task.objects.get(pk=answer.json()["task"]["id"]).arguments
    assert (made["firmware"], made["video"], made["start"]) == ("bios", "vga", False)
    assert [disk["volume"] for disk in made["disks"]] == ["新机.qcow2", "新机-2.qcow2"]
    assert [(disk["bus"], disk["format"]) for disk in made["disks"]] == [("virtio", "qcow2")] * 2
    assert [card["network"] for card in made["networks"]] == ["default"]
    assert made["cdrom"]["volume"] == "boot.iso"


def test_an_empty_list_of_networks_is_none(world: World, manager: Client) -> None:
    answer = send(manager, "post", "instances/", {"host": world.host.pk, "name": "new", "networks": []})
    assert Task.objects.get(pk=answer.json()["task"]["id"]).arguments["networks"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": "x\x00y"}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "web-1"}, "name"),
        ({"name": ["x"]}, "name"),
        ({"host": 999}, "host"),
        ({"host": 2**80}, "host"),
        ({"host": "x"}, "host"),
        ({"host": True}, "host"),
        ({"vcpus": 0}, "vcpus"),
        ({"vcpus": 4000}, "vcpus"),
        ({"memory_bytes": 64 * GIB}, "memory_bytes"),
        ({"memory_bytes": 2**80}, "memory_bytes"),
        ({"memory_bytes": -1}, "memory_bytes"),
        ({"firmware": "openfirmware"}, "firmware"),
        ({"cdrom": {"volume": 999}}, "cdrom"),
        ({"cdrom": 5}, "cdrom"),
        ({"disks": [{"pool": 999, "size_bytes": GIB}]}, "disks.0.pool"),
        ({"disks": [{"pool": 1, "size_bytes": 2**62}]}, "disks.0.size_bytes"),
        ({"disks": [{"pool": 1, "size_bytes": GIB}, {"pool": 1, "size_bytes": -1}]}, "disks.1.size_bytes"),
        ({"disks": "x"}, "disks"),
        ({"networks": [{"network": 999}]}, "networks.0.network"),
        ({"networks": None}, "networks"),
        ({"graphics": "spice"}, "graphics"),
        ({"cloud_init": {}}, "cloud_init"),
    ],
)
def test_bad_input_is_said_by_field_and_nothing_is_asked_of_the_host(
    world: World, manager: Client, change: dict[str, Any], field: str
) -> None:
    asked = {"host": world.host.pk, "name": "new", **change}
    if "disks" in change and isinstance(change["disks"], list):
        asked["disks"] = [{**disk, "pool": world.pool.pk if disk["pool"] == 1 else 999} for disk in change["disks"]]
    answer = send(manager, "post", "instances/", asked)
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == [field], answer.json()
    assert Task.objects.count() == 1


def test_creating_needs_the_right_to_manage_the_host(world: World) -> None:
    for name, status in (("operator", 403), ("viewer", 403), ("manager", 202)):
        asked = {"host": world.host.pk, "name": f"by-{name}"}
        assert send(as_(world, name), "post", "instances/", asked).status_code == status
    stranger = send(as_(world, "stranger"), "post", "instances/", {"host": world.host.pk, "name": "x"})
    assert stranger.status_code == 400
    assert "host" in stranger.json()["errors"]


@pytest.mark.parametrize(("query", "status"), [("", 202), ("?volumes=delete", 202), ("?volumes=all", 400)])
def test_deleting_says_what_goes_with_it(world: World, manager: Client, query: str, status: int) -> None:
    answer = send(manager, "delete", f"instances/{world.instance.pk}/{query}")
    assert answer.status_code == status
    if query == "?volumes=delete":
        volumes = Task.objects.get(pk=answer.json()["task"]["id"]).arguments["volumes"]
        assert [volume["name"] for volume in volumes] == ["web-1.qcow2"]


def test_the_cd_is_changed_and_ejected(world: World, manager: Client) -> None:
    path = f"instances/{world.instance.pk}/media"
    assert send(manager, "post", path, {"volume": world.iso.pk}).status_code == 202
    assert send(manager, "post", path, {"volume": None}).status_code == 202
    assert send(manager, "post", path, {"volume": 999}).status_code == 404
    assert send(manager, "post", path, {"volume": world.iso.pk, "target": "vda"}).status_code == 409
    assert send(manager, "post", path, {}).status_code == 400


def test_the_screen_is_a_png(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    state(world, "running")
    monkeypatch.setattr("api.instances.ask", lambda *args, **options: base64.b64encode(PNG).decode())
    for accept in ("*/*", "image/png", "image/avif,image/webp,*/*;q=0.8"):
        answer = send(as_(world, "viewer"), "get", f"instances/{world.instance.pk}/screenshot", Accept=accept)
        assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "image/png", PNG)


def test_a_guest_without_a_screen_is_409_and_a_silent_host_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*args: object, **options: object) -> None:
        raise HostAway("It gave no answer.")

    monkeypatch.setattr("api.instances.ask", silent)
    path = f"instances/{world.instance.pk}/screenshot"
    assert send(as_(world, "viewer"), "get", path, Accept="image/png").status_code == 409
    state(world, "running")
    answer = send(as_(world, "viewer"), "get", path, Accept="image/png")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


def test_the_definition_comes_as_json_or_as_itself(world: World) -> None:
    path = f"instances/{world.instance.pk}/xml"
    assert send(as_(world, "viewer"), "get", path).json()["xml"].startswith("<domain")
    answer = send(as_(world, "viewer"), "get", path, Accept="application/xml")
    assert answer["Content-Type"].startswith("application/xml")
    assert answer.content.startswith(b"<domain")


def test_a_console_needs_the_right_to_operate(world: World, redis_server: Any) -> None:
    state(world, "running")
    path = f"instances/{world.instance.pk}/console"
    assert send(as_(world, "viewer"), "post", path, {"type": "vnc"}).status_code == 403
    answer = send(as_(world, "operator"), "post", path, {"type": "vnc"})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["websocket"].startswith("ws://testserver/console/ws?token=")
    assert body["url"] == f"http://testserver/instances/{world.instance.pk}/console/"
    assert body["expires_at"].endswith("Z")
    assert send(as_(world, "operator"), "post", path, {"type": "rdp"}).status_code == 400


def test_a_guest_that_vanished_meanwhile_is_404(world: World, manager: Client) -> None:
    Instance.objects.all().delete()
    for method, path in (("get", ""), ("delete", ""), ("post", "start"), ("get", "xml"), ("get", "screenshot")):
        assert send(manager, method, f"instances/{world.instance.pk}/{path}").status_code == 404


def test_disks_and_cards_name_their_rows(world: World) -> None:
    body = send(as_(world, "viewer"), "get", f"instances/{world.instance.pk}/").json()
    assert [disk["volume"] for disk in body["disks"]] == [world.volume.pk, None]
    assert [card["network"] for card in body["networks"]] == [world.network.pk]
    assert uuid.UUID(body["uuid"]) == world.instance.uuid
    assert body["stale_since"] is None
    world.host_is_down()
    body = send(as_(world, "viewer"), "get", f"instances/{world.instance.pk}/").json()
    assert (body["state"], body["stale_since"]) == ("shutoff", "2026-11-24T12:03:00Z")
