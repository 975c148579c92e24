"""What an administrator changes about a host: its name, notes and maintenance, and its removal."""

import json
import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Grant, Role
from hosts.models import Host
from hosts.upkeep import edit_host, remove_host
from instances.creation import create
from instances.models import Instance
from instances.services import create_instance
from instances.spec import Spec, resolve
from storage.models import Pool
from tasks.context import Context
from tasks.errors import Invalid, JobFailed, Refused, error_words
from tasks.models import Task
from tasks.runner import words_of
from tests.unit.world import World, grant, make_task


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """What open pages hear of."""
    heard: list[tuple[str, int, str]] = []
    monkeypatch.setattr("hosts.upkeep.publish", lambda type, id, change="changed": heard.append((type, id, change)))
    return heard


def test_what_is_left_out_stays(world: World, told: list[Any]) -> None:
    edit_host(world.host, actor=world.admin, notes="In rack 7")
    edit_host(world.host, actor=world.admin, name=" kvm-one ", maintenance=True)
    host = Host.objects.get(pk=world.host.pk)
    assert (host.name, host.notes, host.maintenance) == ("kvm-one", "In rack 7", True)
    assert told == [("host", host.pk, "changed")] * 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "kvm-02"}, "name"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"notes": "\0"}, "notes"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(world: World, wrong: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        edit_host(world.host, actor=world.admin, **wrong)  # type: ignore[arg-type]
    assert list(refused.value.errors) == [field]
    assert Host.objects.get(pk=world.host.pk).name == "kvm-01"


def test_only_admins_change_and_remove_hosts(world: World) -> None:
    with pytest.raises(PermissionDenied):
        edit_host(world.host, actor=world.manager, maintenance=True)
    with pytest.raises(PermissionDenied):
        remove_host(world.host, actor=world.manager)


def spec_of(world: World) -> Spec:
    return resolve({"host": world.host.pk, "name": "new-1", "disks": []}, user=world.manager)


def test_a_host_in_maintenance_takes_no_new_guest_whoever_asks(world: World) -> None:
    edit_host(world.host, actor=world.admin, maintenance=True)
    with pytest.raises(Refused) as refused:
        create_instance(spec=spec_of(world), actor=world.admin)
    assert refused.value.status == 409
    assert str(refused.value.detail) == "kvm-01 is in maintenance and takes no new guests."
    body = json.dumps({"host": world.host.pk, "name": "new-1"})
    answer = world.client("manager").post("/api/v1/instances/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"]) == (409, str(refused.value.detail))
    assert not Task.objects.filter(kind="instances.create").exists()


def test_a_guest_that_was_asked_for_before_the_maintenance_is_not_made_in_it(world: World) -> None:
    task = create_instance(spec=spec_of(world), actor=world.manager)
    edit_host(world.host, actor=world.admin, maintenance=True)
    with pytest.raises(JobFailed) as failed:
        create(Context(task, threading.Event()))
    words = error_words(words_of(failed.value)) or {}
    assert words["title"] == "The host is in maintenance"
    assert words["detail"] == "kvm-01 is in maintenance and takes no new guests."
    assert "nothing was made" in words["hint"]


def test_a_guest_on_a_host_in_maintenance_is_started_as_ever(world: World) -> None:
    edit_host(world.host, actor=world.admin, maintenance=True)
    answer = world.client("operator").post(f"/api/v1/instances/{world.instance.pk}/start")
    assert answer.status_code == 202


def test_the_form_of_a_new_guest_shows_a_host_in_maintenance_and_does_not_offer_it(world: World) -> None:
    grant(world.manager, Role.MANAGER, Grant.Scope.HOST, world.other_host)
    edit_host(world.other_host, actor=world.admin, maintenance=True)
    text = world.client("manager").get("/instances/create/").content.decode()
    assert "<option disabled>kvm-02, in maintenance</option>" in text
    assert 'data-name="kvm-02"' not in text
    edit_host(world.host, actor=world.admin, maintenance=True)
    assert "No host takes new guests now" in world.client("manager").get("/instances/create/").content.decode()


def test_a_removed_host_takes_what_was_known_of_it_and_leaves_the_history(world: World, told: list[Any]) -> None:
    grant(world.stranger, "viewer", "instance", world.host, world.instance.uuid)
    grant(world.stranger, "viewer", "host", world.other_host)
    pk, guest, pool, network = world.host.pk, world.instance.pk, world.pool.pk, world.network.pk
    remove_host(world.host, actor=world.admin)
    assert list(Host.objects.values_list("name", flat=True)) == ["kvm-02"]
    assert not Instance.objects.exists()
    assert not Pool.objects.exists()
    assert list(Grant.objects.values_list("host_id", flat=True)) == [world.other_host.pk]
    assert Task.objects.get(pk=world.task.pk).host_name == "kvm-01"
    assert set(told) == {
        ("host", pk, "removed"),
        ("instance", guest, "removed"),
        ("pool", pool, "removed"),
        ("network", network, "removed"),
    }


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_host_with_a_task_on_it_is_not_removed(world: World, state: str) -> None:
    make_task(world.operator, world.instance, state=state)
    url = f"/api/v1/hosts/{world.host.pk}/"
    answer = world.client("admin").delete(url)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "1 task on kvm-01 has not ended. Wait for it, or cancel it."
    dialog = world.client("admin").get(f"/hosts/{world.host.pk}/remove/").content.decode()
    assert "kvm-01 is busy" in dialog
    assert 'name="confirm"' not in dialog
    Task.objects.update(state="failed")
    assert world.client("admin").delete(url).status_code == 204
    assert world.client("admin").get(url).status_code == 404


def test_the_page_removes_a_host_whose_name_was_typed(world: World) -> None:
    url = f"/hosts/{world.host.pk}/remove/"
    client = world.client("admin")
    assert client.post(url, {"confirm": "kvm"}).status_code == 400
    assert Host.objects.count() == 2
    assert client.post(url, {"confirm": "kvm-01"}).headers["Location"] == "/hosts/"
    assert Host.objects.count() == 1


def test_the_page_changes_what_it_asks(world: World) -> None:
    url = f"/hosts/{world.host.pk}/edit/"
    client = world.client("admin")
    assert 'value="kvm-01"' in client.get(url).content.decode()
    client.post(url, {"name": "kvm-01", "notes": "Ask Zoë", "maintenance": "on"})
    text = client.get(f"/hosts/{world.host.pk}/").content.decode()
    assert "Ask Zoë" in text
    assert "In maintenance" in text
    client.post(url, {"name": "kvm-01", "notes": ""})
    host = Host.objects.get(pk=world.host.pk)
    assert (host.notes, host.maintenance) == ("", False)


def test_a_program_changes_a_host(world: World) -> None:
    url = f"/api/v1/hosts/{world.host.pk}/"

    def patch(who: str, **body: object) -> Any:
        return world.client(who).patch(url, json.dumps(body), content_type="application/json")

    answer = patch("admin", maintenance=True, notes="x\n")
    assert (answer.status_code, answer.json()["maintenance"], answer.json()["notes"]) == (200, True, "x\n")
    assert patch("manager", maintenance=False).status_code == 403
    assert patch("stranger", maintenance=False).status_code == 404
    assert patch("admin", name="kvm-02").json()["errors"]["name"] == ["A host with this name exists already."]
    found = world.client("admin").get("/api/v1/hosts/?maintenance=true").json()["results"]
    assert [host["name"] for host in found] == ["kvm-01"]
