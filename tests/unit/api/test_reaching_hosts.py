"""What opens a host, by the API: taken, named, and never answered."""

import json
from typing import Any

import pytest

from hosts.models import Host
from hosts.secrets import unseal
from hosts.services import add_host, trust_key
from tests.unit.hosts.connecting import NEW, OLD, SSH, shows
from tests.unit.hosts.test_pem import GOOD
from tests.unit.world import World

TCP = {"name": "new", "uri": "qemu+tcp://mei@10.0.0.3/system", "password": "horse-battery-77"}


def send(world: World, method: str, path: str, body: Any = None, name: str = "admin") -> Any:
    text = "" if body is None else json.dumps(body)
    return world.client(name).generic(method.upper(), f"/api/v1/{path}", text, content_type="application/json")


@pytest.fixture
def ssh(world: World) -> Host:
    return add_host(name="kvm-04", uri=SSH, actor=world.admin)


def test_a_host_is_added_with_its_password(world: World) -> None:
    answer = send(world, "post", "hosts/", TCP)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["secrets"], told["host_key"]) == (["password"], None)
    assert "horse" not in answer.content.decode()
    assert unseal(Host.objects.get(pk=told["id"]).sealed).password == TCP["password"]


def test_one_is_changed_another_forgotten_and_the_rest_kept(world: World) -> None:
    added = send(world, "post", "hosts/", {"name": "new", "uri": "qemu+tls://mei@h/system", "password": "word", **GOOD})
    path = f"hosts/{added.json()['id']}/"
    told = send(world, "patch", path, {"password": ""}).json()
    assert told["secrets"] == ["ca_certificate", "client_certificate", "client_key"]
    told = send(world, "patch", path, {"uri": "qemu+tls://h2/system"}).json()
    assert (told["uri"], len(told["secrets"])) == ("qemu+tls://h2/system", 3)
    assert send(world, "patch", path, {"uri": "qemu+ssh://h/system"}).json()["secrets"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"uri": "qemu+ssh://u:word@h/system"}, "uri"),
        ({"private_key": "x"}, "private_key"),
        ({"password": "word"}, "password"),
        ({"ca_certificate": "x", "uri": "qemu+tls://h/system"}, "ca_certificate"),
        ({"sealed": "x"}, "sealed"),
    ],
)
def test_what_is_wrong_is_said_by_field(world: World, ssh: Host, body: dict[str, str], field: str) -> None:
    answer = send(world, "patch", f"hosts/{ssh.pk}/", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    ssh.refresh_from_db()
    assert (ssh.uri, ssh.sealed) == (SSH, "")


def test_the_keys_that_a_host_shows_are_listed(world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, OLD, NEW)
    assert send(world, "get", f"hosts/{ssh.pk}/offered-keys").json() == [
        {"algorithm": "ED25519", "fingerprint": key.fingerprint} for key in (OLD, NEW)
    ]


def test_a_key_is_trusted_if_the_host_shows_it(world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, OLD)
    path = f"hosts/{ssh.pk}/trust-key"
    assert send(world, "post", path, {"fingerprint": NEW.fingerprint}).status_code == 409
    told = send(world, "post", path, {"fingerprint": f" {OLD.fingerprint}\n"}).json()
    assert (told["host_key"]["fingerprint"], told["host_key"]["by"]) == (OLD.fingerprint, "admin")
    assert told["host_key"]["at"].endswith("Z")


def test_a_host_without_ssh_has_no_keys(world: World) -> None:
    assert send(world, "get", f"hosts/{world.host.pk}/offered-keys").status_code == 409
    body = {"fingerprint": OLD.fingerprint}
    assert send(world, "post", f"hosts/{world.host.pk}/trust-key", body).status_code == 409


@pytest.mark.parametrize(("name", "status"), [("stranger", 404), ("viewer", 403), ("manager", 403)])
def test_only_an_admin_changes_how_a_host_is_reached(world: World, name: str, status: int) -> None:
    path = f"hosts/{world.host.pk}/"
    assert send(world, "patch", path, {"uri": "test:///default"}, name).status_code == status
    assert send(world, "post", f"{path}trust-key", {"fingerprint": "x"}, name).status_code == status
    assert send(world, "get", f"{path}offered-keys", name=name).status_code == status


def test_who_sees_a_host_sees_which_key_is_trusted(world: World) -> None:
    Host.objects.filter(pk=world.host.pk).update(uri=SSH)
    trust_key(Host.objects.get(pk=world.host.pk), key=OLD, actor=world.admin)
    told = send(world, "get", f"hosts/{world.host.pk}/", name="viewer").json()
    assert told["host_key"]["algorithm"] == "ED25519"
