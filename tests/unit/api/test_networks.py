"""networks/ and interfaces/ of the API: made, changed, removed, and who has which address."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import Grant, Role
from networks.models import Attachment, Lease, Network
from tasks.models import Task
from tests.unit.world import World, grant


def client(world: World, name: str = "manager") -> Client:
    return Client(headers={"Authorization": f"Bearer {world.token(name)}"}, raise_request_exception=False)


def send(world: World, method: str, path: str, body: Any = None, name: str = "manager", **headers: str) -> Any:
    return client(world, name).generic(
        method, f"/api/v1/{path}", json.dumps(body) if body is not None else "", "application/json", headers=headers
    )


def test_a_network_is_made_on_a_free_range_where_none_is_named(world: World) -> None:
    answer = send(world, "POST", "networks/", {"host": world.host.pk, "name": "lab", "mode": "nat"})
    assert answer.status_code == 202, answer.content
    task = Task.objects.get(pk=answer.json()["task"]["id"])
    assert answer["Location"].endswith(f"/api/v1/tasks/{task.pk}/")
    assert task.arguments == {
        "name": "lab", "forward": "nat", "own": "192.168.124.1/24", "dhcp": ["192.168.124.2", "192.168.124.254"],
        "own6": "", "proposed": True, "domain": "", "bridge": "", "autostart": True, "start": True,
    }  # fmt: skip


def test_a_repeated_request_is_one_task_and_another_with_its_key_is_refused(world: World) -> None:
    body = {"host": world.host.pk, "name": "lab", "mode": "isolated", "subnet": ""}
    first, second = (send(world, "POST", "networks/", body, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json()["task"]["id"] == second.json()["task"]["id"]
    assert send(world, "POST", "networks/", {**body, "name": "x"}, **{"Idempotency-Key": "k"}).status_code == 422


def test_it_is_one_task_too_when_by_then_another_range_is_free(world: World) -> None:
    body = {"host": world.host.pk, "name": "lab", "mode": "nat"}
    first = send(world, "POST", "networks/", body, **{"Idempotency-Key": "k"})
    Network.objects.create(host=world.host, uuid=uuid.uuid4(), name="lab", addresses=["192.168.124.1/24"])
    again = send(world, "POST", "networks/", body, **{"Idempotency-Key": "k"})
    assert again.json()["task"]["id"] == first.json()["task"]["id"]
    other = send(world, "POST", "networks/", {**body, "dhcp": False}, **{"Idempotency-Key": "k"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dhcp_first": "192.168.124.9"}, "dhcp_first"),
        ({"subnet": "192.168.122.0/24"}, "subnet"),
        ({"mode": "vepa"}, "mode"),
        ({"name": "default"}, "name"),
        ({"gateway": "10.0.0.1"}, "gateway"),
        ({"host": 99}, "host"),
        ({"host": 2**70}, "host"),
        ({"subnet": "1" * 100}, "subnet"),
    ],
)
def test_what_is_wrong_is_said_by_field(world: World, change: dict[str, Any], field: str) -> None:
    answer = send(world, "POST", "networks/", {"host": world.host.pk, "name": "lab", "mode": "nat", **change})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_only_who_manages_the_host_makes_one(world: World) -> None:
    body = {"host": world.host.pk, "name": "lab", "mode": "nat"}
    assert send(world, "POST", "networks/", body, "operator").status_code == 403
    assert list(send(world, "POST", "networks/", body, "stranger").json()["errors"]) == ["host"]
    world.host_is_down()
    assert send(world, "POST", "networks/", body).status_code == 503


def test_it_is_started_stopped_and_told_to_start_with_its_host(world: World) -> None:
    path = f"networks/{world.network.pk}/"
    assert send(world, "POST", f"{path}start").status_code == 409
    assert send(world, "POST", f"{path}stop").json()["task"]["kind"] == "networks.stop"
    Network.objects.update(active=False)
    assert send(world, "POST", f"{path}start").json()["task"]["kind"] == "networks.start"
    assert send(world, "PATCH", path, {"autostart": True}).status_code == 202
    assert send(world, "PATCH", path, {}).status_code == 400
    assert send(world, "PATCH", path, {"autostart": True, "name": "x"}).status_code == 400


def test_it_is_removed_unless_a_guest_is_on_it(world: World) -> None:
    path = f"networks/{world.network.pk}/"
    card = Attachment.objects.create(
        host=world.host, network_name="default", mac="52:54:00:00:00:01", instance_uuid=world.instance.uuid,
        instance_name="web-1",
    )  # fmt: skip
    assert send(world, "DELETE", path).status_code == 409
    card.delete()
    assert send(world, "DELETE", path).json()["task"]["kind"] == "networks.remove"


def test_leases_name_the_guests_that_may_be_seen(world: World) -> None:
    Attachment.objects.create(
        host=world.host, network_name="default", mac="52:54:00:00:00:01", instance_uuid=world.instance.uuid,
        instance_name="web-1",
    )  # fmt: skip
    Lease.objects.create(network=world.network, mac="52:54:00:00:00:01", address="192.168.122.20", hostname="web")
    path = f"networks/{world.network.pk}/leases/"
    [lease] = send(world, "GET", path, name="viewer").json()["results"]
    assert lease == {
        "address": "192.168.122.20", "mac": "52:54:00:00:00:01", "hostname": "web", "expires": None,
        "instance": world.instance.pk,
    }  # fmt: skip
    grant(world.stranger, Role.VIEWER, Grant.Scope.NETWORK, world.host, world.network.uuid)
    assert send(world, "GET", path, name="stranger").json()["results"] == []


def test_interfaces_are_shown_to_whom_their_host_was_granted(world: World) -> None:
    [found] = send(world, "GET", "interfaces/?type=bridge", name="viewer").json()["results"]
    assert (found["name"], found["host_name"], found["active"]) == ("br0", "kvm-01", True)
    grant(world.stranger, Role.VIEWER, Grant.Scope.INSTANCE, world.host, world.instance.uuid)
    assert send(world, "GET", "interfaces/", name="stranger").json()["count"] == 0
    assert send(world, "GET", f"interfaces/{found['id']}/", name="stranger").status_code == 404
