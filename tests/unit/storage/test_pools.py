"""Asking for changes of pools: who may, and what is refused in words."""

import re
from typing import Any
from uuid import uuid4

import pytest

from storage.folders import fault_of_folder
from storage.models import Pool
from tasks.models import Task
from tests.unit.storage.test_uploads import open_upload
from tests.unit.storage.test_volumes import TOAST, api, errors_of, last_task
from tests.unit.world import World


def body(world: World, **fields: Any) -> dict[str, Any]:
    return {"host": world.host.pk, "name": "more", "path": "/srv/more", **fields}


def test_an_administrator_makes_a_pool_by_the_page_and_by_the_api(world: World) -> None:
    shown = world.client("admin").get(f"/storage/create/?host={world.other_host.pk}").content.decode()
    assert f'<option value="{world.other_host.pk}" selected>kvm-02' in shown
    form = {"host": world.host.pk, "name": "more", "path": "/srv/更多", "idempotency_key": "one"}
    for _press in range(2):
        assert world.client("admin").post("/storage/create/", form, headers=TOAST).status_code == 200
    task = last_task("create_pool")
    assert (task.object_name, task.arguments) == ("more", {"path": "/srv/更多", "autostart": False})
    assert task.object_uuid is not None
    answer = api(world, "POST", "pools/", body(world, name="third"), "admin")
    assert answer.status_code == 202, answer.content
    assert Task.objects.latest("pk").arguments["autostart"] is True


def test_whoever_is_none_opens_no_folder_of_a_host(world: World) -> None:
    assert api(world, "POST", "pools/", body(world)).status_code == 403
    assert world.client("manager").post("/storage/create/", body(world)).status_code == 403
    assert "New pool" not in world.client("manager").get(f"/storage/{world.pool.pk}/").content.decode()
    assert "New pool" in world.client("admin").get("/storage/").content.decode()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "default"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"path": "/pool"}, "path"),
        ({"path": "srv"}, "path"),
        ({"path": "/srv/../etc"}, "path"),
        ({"type": "rbd"}, "type"),
    ],
)
def test_it_says_what_is_wrong_with_a_new_pool(world: World, fields: dict[str, Any], wrong: str) -> None:
    assert list(errors_of(api(world, "POST", "pools/", body(world, **fields), "admin"))) == [wrong]
    assert not Task.objects.filter(kind="storage.create_pool").exists()


@pytest.mark.parametrize(
    "path",
    ["", "x", "//srv", "/", "/srv/", "/srv/./x", "/srv/..", "/proc", "/sys/x", "/dev/shm", "/a\n", "/" + "x" * 4000],
)
def test_no_pool_lies_there(path: str) -> None:
    assert fault_of_folder(path)


@pytest.mark.parametrize("path", ["/etc", "/etc/pki", "/usr/share", "/boot", "/lib64", "/run/x", "/", "/var", "/root"])
def test_the_hosts_own_files_are_no_pool(world: World, path: str) -> None:
    """Whoever manages a pool may fetch and delete what lies in it."""
    errors = errors_of(api(world, "POST", "pools/", body(world, path=path), "admin"))
    assert "The host's own files" in errors["path"][0]


@pytest.mark.parametrize(
    "path", ["/srv", "/var/lib/libvirt/images", "/data/镜像", "/device", "/a..b", "/root/images", "/etcetera"]
)
def test_a_pool_may_lie_there(path: str) -> None:
    assert fault_of_folder(path) == ""


def test_a_pool_stops_and_starts_and_each_only_once(world: World) -> None:
    path = f"pools/{world.pool.pk}"
    assert api(world, "POST", f"{path}/start").status_code == 409
    assert api(world, "POST", f"{path}/stop").status_code == 202
    Pool.objects.update(state="inactive")
    assert api(world, "POST", f"{path}/stop").status_code == 409
    assert api(world, "POST", f"{path}/start").status_code == 202
    assert {task.kind for task in Task.objects.filter(object_type="pool")} == {
        "storage.stop_pool",
        "storage.start_pool",
    }


def test_a_pool_in_which_something_is_done_neither_stops_nor_goes(world: World) -> None:
    open_upload(world)
    assert api(world, "POST", f"pools/{world.pool.pk}/stop").status_code == 409
    answer = api(world, "DELETE", f"pools/{world.pool.pk}/")
    assert answer.status_code == 409
    assert "just now" in answer.json()["detail"]


def test_a_pool_starts_with_its_host_or_does_not(world: World) -> None:
    assert api(world, "PATCH", f"pools/{world.pool.pk}/", {"autostart": True}).status_code == 202
    assert last_task("autostart_pool").arguments == {"autostart": True}
    assert api(world, "PATCH", f"pools/{world.pool.pk}/", {}).status_code == 400
    url = f"/storage/{world.pool.pk}/autostart/"
    assert world.client("manager").post(url, {"autostart": "off"}, headers=TOAST).status_code == 200
    assert Task.objects.latest("pk").arguments == {"autostart": False}
    assert world.client("manager").post(url, {}, headers=TOAST).status_code == 400


def test_a_transient_pool_does_not_start_with_its_host_and_is_stopped_after_a_question_alone(world: World) -> None:
    page = f"/storage/{world.pool.pk}/"
    assert f"{page}stop/" in world.client("manager").get(page).content.decode()
    Pool.objects.update(persistent=False)
    answer = api(world, "PATCH", f"pools/{world.pool.pk}/", {"autostart": True})
    assert (answer.status_code, "transient" in answer.json()["detail"]) == (409, True)
    text = world.client("manager").get(page).content.decode()
    assert f"{page}remove/" in text
    assert f"{page}stop/" not in text


def test_a_pool_is_removed_when_its_name_is_typed_and_its_volumes_are_said_to_stay(world: World) -> None:
    url = f"/storage/{world.pool.pk}/remove/"
    shown = world.client("manager").get(url, headers={"X-Webvirt-Live": "dialog"}).content.decode()
    assert "stay on the disk, in /pool" in shown
    assert "Guests use some of them" in shown
    assert world.client("manager").post(url, {"confirm": "other"}, headers=TOAST).status_code == 400
    assert world.client("manager").post(url, {"confirm": "default"}, headers=TOAST).status_code == 200
    assert last_task("remove_pool").object_uuid == world.pool.uuid


def acts(world: World, name: str, pool: Pool) -> str:
    return world.client(name).get(f"/storage/{pool.pk}/?block=acts").content.decode()


def test_a_pools_page_offers_what_its_state_allows(world: World) -> None:
    assert "/stop/" in acts(world, "manager", world.pool)
    assert "New volume" in acts(world, "manager", world.pool)
    assert f"/storage/{world.pool.pk}/upload/" in acts(world, "manager", world.pool)
    off = Pool.objects.create(host=world.host, uuid=uuid4(), name="off", type="dir", state="inactive")
    assert "/start/" in acts(world, "manager", off)
    assert "New volume" not in acts(world, "manager", off)
    page = world.client("manager").get(f"/storage/{off.pk}/").content.decode()
    assert "/upload/" not in page, "what cannot work is not the next step"
    assert re.search(r'<button class="btn main"[^>]*>.*?Start</button>', page)
    assert "<form" not in acts(world, "viewer", world.pool)
    assert "/refresh/" in acts(world, "operator", world.pool)
    assert "/stop/" not in acts(world, "operator", world.pool)
    world.host_is_down()
    assert "<form" not in acts(world, "manager", world.pool)
