"""Asking for changes of volumes: by pages and by the API, and what is refused in words."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from storage import downloads
from storage.models import Pool, Volume
from tasks.models import Task
from tests.unit.storage.test_uploads import open_upload
from tests.unit.world import GIB, World, grant

API = "/api/v1/"
TOAST = {"X-Webvirt-Toast": "1"}


def api(world: World, method: str, path: str, body: Any = None, name: str = "manager", **headers: str) -> Any:
    client = Client(headers={"Authorization": f"Bearer {world.token(name)}"}, raise_request_exception=False)
    return client.generic(
        method, API + path, json.dumps(body) if body is not None else b"", content_type="application/json",
        headers={key.replace("_", "-"): value for key, value in headers.items()},
    )  # fmt: skip


def last_task(kind: str) -> Task:
    return Task.objects.get(kind=f"storage.{kind}")


def errors_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 400, answer.content
    return dict(answer.json()["errors"])


def test_a_volume_is_asked_for_by_the_page_and_by_the_api(world: World) -> None:
    url = f"/storage/{world.pool.pk}/create/"
    assert "New volume in default" in world.client("manager").get(url).content.decode()
    form = {"name": "data.raw", "format": "raw", "size_gib": "1.5", "idempotency_key": "one"}
    for _press in range(2):
        answer = world.client("manager").post(url, form, headers=TOAST)
        assert answer.json()["task"]["object"]["name"] == "data.raw"
    task = last_task("create_volume")
    assert task.arguments == {"format": "raw", "size_bytes": GIB * 3 // 2}
    body = {"pool": world.pool.pk, "name": "more.qcow2", "size_bytes": 2**20 + 1}
    answer = api(world, "POST", "volumes/", body)
    assert answer.status_code == 202, answer.content
    made = Task.objects.get(pk=answer.json()["task"]["id"])
    # Rounded up, so that every format takes it as it is.
    assert made.arguments == {"format": "qcow2", "size_bytes": 2**20 + 4096}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "../passwd"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "boot.iso"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"size_bytes": 100}, "size_bytes"),
        ({"size_bytes": 91 * GIB}, "size_bytes"),
        ({"format": "vmdk"}, "format"),
        ({"path": "/etc/passwd"}, "path"),
    ],
)
def test_it_says_what_is_wrong_with_a_new_volume(world: World, fields: dict[str, Any], wrong: str) -> None:
    body = {"pool": world.pool.pk, "name": "data.qcow2", "size_bytes": GIB, **fields}
    assert list(errors_of(api(world, "POST", "volumes/", body))) == [wrong]
    assert not Task.objects.filter(kind="storage.create_volume").exists()


def test_a_file_on_its_way_has_its_name_and_its_room(world: World) -> None:
    Pool.objects.update(available_bytes=3 * GIB)
    world.pool.refresh_from_db()
    open_upload(world, filename="coming.iso", length=2 * GIB)
    body = {"pool": world.pool.pk, "name": "coming.iso", "size_bytes": 2 * GIB}
    assert set(errors_of(api(world, "POST", "volumes/", body))) == {"name", "size_bytes"}
    assert api(world, "POST", "volumes/", {**body, "name": "data", "size_bytes": GIB}).status_code == 202


def test_a_pool_of_block_devices_has_raw_volumes_alone(world: World) -> None:
    Pool.objects.update(type="logical")
    assert ">qcow2<" not in world.client("manager").get(f"/storage/{world.pool.pk}/create/").content.decode()
    body = {"pool": world.pool.pk, "name": "data", "size_bytes": GIB, "format": "qcow2"}
    assert "format" in errors_of(api(world, "POST", "volumes/", body))


def test_nothing_is_asked_of_a_pool_that_is_not_active_or_a_host_that_is_away(world: World) -> None:
    Pool.objects.update(state="inactive")
    body = {"pool": world.pool.pk, "name": "data", "size_bytes": GIB}
    for method, path, given in (
        ("POST", "volumes/", body),
        ("POST", f"volumes/{world.iso.pk}/download", None),
        ("DELETE", f"volumes/{world.iso.pk}/", None),
    ):
        assert api(world, method, path, given).status_code == 409
    Pool.objects.update(state="active")
    world.host_is_down()
    assert api(world, "POST", "volumes/", body).status_code == 503


def test_a_volume_only_grows_and_only_where_there_is_room(world: World) -> None:
    path = f"volumes/{world.volume.pk}/resize"
    for size in (10 * GIB, GIB, 101 * GIB):
        assert list(errors_of(api(world, "POST", path, {"size_bytes": size}))) == ["size_bytes"]
    assert api(world, "POST", f"volumes/{world.iso.pk}/resize", {"size_bytes": GIB}).status_code == 409
    shown = world.client("manager").get(f"/storage/volumes/{world.volume.pk}/grow/").content.decode()
    assert 'value="10"' in shown
    answer = world.client("manager").post(f"/storage/volumes/{world.volume.pk}/grow/", {"size_gib": "12"})
    assert answer.status_code == 302
    assert last_task("grow_volume").arguments == {"size_bytes": 12 * GIB}


def test_a_clone_is_named_after_its_original_and_may_go_elsewhere_on_its_host(world: World) -> None:
    other = Pool.objects.create(host=world.host, uuid=UUID(int=1), name="fast", type="dir", state="active")
    foreign = Pool.objects.create(host=world.other_host, uuid=UUID(int=2), name="far", type="dir", state="active")
    url = f"/storage/volumes/{world.volume.pk}/clone/"
    shown = world.client("admin").get(url).content.decode()
    assert 'value="web-1-copy.qcow2"' in shown
    assert ("fast" in shown, "far" in shown) == (True, False)
    answer = api(world, "POST", f"volumes/{world.volume.pk}/clone", {"name": "c", "pool": foreign.pk}, "admin")
    assert list(errors_of(answer)) == ["pool"]
    assert api(world, "POST", f"volumes/{world.volume.pk}/clone", {"name": "c", "pool": 9999}).status_code == 404
    world.client("manager").post(url, {"name": "c.qcow2", "pool": other.pk})
    task = last_task("clone_volume")
    assert (task.object_uuid, task.object_name) == (other.uuid, "c.qcow2")
    assert task.arguments == {"source_pool": str(world.pool.uuid), "source": "web-1.qcow2"}


def test_a_folder_among_the_files_is_neither_copied_nor_fetched(world: World) -> None:
    """As the lost+found of a pool on a file system of its own."""
    folder = Volume.objects.create(pool=world.pool, name="lost+found", path="/pool/lost+found", format="dir")
    for verb, body in (("clone", {"name": "c"}), ("download", None)):
        answer = api(world, "POST", f"volumes/{folder.pk}/{verb}", body)
        assert (answer.status_code, answer.json()["detail"]) == (409, "lost+found is a folder.")
    shown = world.client("manager").get(f"/storage/{world.pool.pk}/").content.decode()
    assert f"/storage/volumes/{world.iso.pk}/clone/" in shown
    assert f"/storage/volumes/{folder.pk}/clone/" not in shown
    assert "Download lost+found" not in shown


def test_a_clone_needs_the_right_to_both_pools(world: World) -> None:
    other = Pool.objects.create(host=world.host, uuid=UUID(int=1), name="fast", type="dir", state="active")
    for role, pool in (("manager", other), ("viewer", world.pool)):
        grant(world.stranger, role, "pool", world.host, pool.uuid)
    body = {"name": "c", "pool": other.pk}
    assert api(world, "POST", f"volumes/{world.volume.pk}/clone", body, "stranger").status_code == 403


def test_a_volume_that_a_guest_uses_stays_and_the_guest_is_named_to_whom_may_see_it(world: World) -> None:
    shown = world.client("manager").get(f"/storage/volumes/{world.volume.pk}/delete/").content.decode()
    assert "is used by: web-1" in shown
    assert "type-name" not in shown
    answer = api(world, "DELETE", f"volumes/{world.volume.pk}/")
    assert answer.status_code == 409
    assert "web-1." in answer.json()["detail"]
    grant(world.stranger, "manager", "pool", world.host, world.pool.uuid)
    answer = api(world, "DELETE", f"volumes/{world.volume.pk}/", name="stranger")
    assert "a guest that you may not see" in answer.json()["detail"]
    assert not Task.objects.filter(kind="storage.delete_volume").exists()


def test_a_volume_that_others_are_built_on_stays(world: World) -> None:
    base = Volume.objects.create(pool=world.pool, name="base.qcow2", path="/pool/base.qcow2", format="qcow2")
    Volume.objects.create(pool=world.pool, name="over", path="/pool/over", backing_path="base.qcow2", format="qcow2")
    answer = api(world, "DELETE", f"volumes/{base.pk}/")
    assert answer.status_code == 409
    assert "built on this one" in answer.json()["detail"]
    rows = world.client("viewer").get(f"/storage/{world.pool.pk}/").content.decode()
    row = rows.split(f'id="volume-{base.pk}"')[1].split("</tr>")[0]
    assert "another volume" in row
    assert "no guest" not in row


def test_a_volume_goes_when_its_name_is_typed(world: World) -> None:
    url = f"/storage/volumes/{world.iso.pk}/delete/"
    client = world.client("manager")
    assert "Delete boot.iso?" in client.get(url, headers={"X-Webvirt-Live": "dialog"}).content.decode()
    assert client.post(url, {"confirm": "boot"}, headers=TOAST).status_code == 400
    assert client.post(url, {"confirm": "boot.iso"}, headers=TOAST).status_code == 200
    assert last_task("delete_volume").object_name == "boot.iso"


def test_what_is_worth_nothing_without_its_base_says_so_before_it_is_fetched(world: World) -> None:
    Volume.objects.filter(pk=world.volume.pk).update(backing_path="/pool/base.qcow2")
    manager, url = world.client("manager"), f"/storage/volumes/{world.volume.pk}/download/"
    rows = manager.get(f"/storage/{world.pool.pk}/").content.decode()
    assert f'data-dialog href="{url}"' in rows
    assert f'formaction="/storage/volumes/{world.iso.pk}/download/"' in rows
    asked = manager.get(url, headers={"X-Webvirt-Live": "1"}).content.decode()
    assert "differs from base.qcow2" in asked
    assert "data-take" in asked
    assert manager.post(url, headers=TOAST).json()["task"]["object"]["name"] == world.volume.name


def fetched(world: World, name: str = "manager") -> Task:
    """A download that is whole."""
    answer = world.client(name).post(f"/storage/volumes/{world.iso.pk}/download/", headers=TOAST)
    task = Task.objects.get(pk=answer.json()["task"]["id"])
    Task.objects.filter(pk=task.pk).update(state="succeeded", ended_at=timezone.now())
    downloads.path_of(task.pk).write_bytes(b"content")
    return task


def test_a_download_is_handed_to_nginx_for_whoever_asked(world: World) -> None:
    Volume.objects.filter(pk=world.iso.pk).update(name='安装 "盘".iso')
    task = fetched(world)
    url = f"{API}downloads/{task.pk}/"
    answer = world.client("manager").get(url, headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 200, answer.content
    assert answer["X-Accel-Redirect"] == f"/_downloads/{task.pk}"
    told = answer["Content-Disposition"]
    assert told.startswith("attachment; filename*=utf-8''%E5%AE%89%E8%A3%85%20")
    assert answer["Content-Type"] == "application/octet-stream"
    assert api(world, "GET", f"downloads/{task.pk}/", Accept="application/octet-stream").status_code == 200
    for other in ("admin", "viewer", "stranger"):
        assert world.client(other).get(url).status_code == 404
    assert world.client("anonymous").get(url).status_code == 401


def test_who_lost_the_right_to_the_pool_loses_the_download(world: World) -> None:
    task = fetched(world)
    world.manager.grants.all().delete()
    assert world.client("manager").get(f"{API}downloads/{task.pk}/").status_code == 403


def test_a_download_that_is_not_whole_or_not_kept_says_so(world: World) -> None:
    task = fetched(world)
    url = f"{API}downloads/{task.pk}/"
    Task.objects.filter(pk=task.pk).update(state="running", ended_at=None)
    assert world.client("manager").get(url).status_code == 409
    Task.objects.filter(pk=task.pk).update(state="failed", ended_at=timezone.now())
    assert world.client("manager").get(url).status_code == 410
    Task.objects.filter(pk=task.pk).update(state="succeeded", ended_at=timezone.now() - timedelta(hours=25))
    assert world.client("manager").get(url).status_code == 410


def test_downloads_go_after_a_day_and_not_before(world: World) -> None:
    kept, old, running, failed = (fetched(world) for _ in range(4))
    Task.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(hours=25))
    Task.objects.filter(pk=running.pk).update(state="running", ended_at=None)
    Task.objects.filter(pk=failed.pk).update(state="failed")
    stray = downloads.path_of(10**9)
    stray.write_bytes(b"")
    downloads.clean()
    left = set(stray.parent.iterdir())
    assert left & {downloads.path_of(task.pk) for task in (kept, old, running, failed)} == {
        downloads.path_of(kept.pk),
        downloads.path_of(running.pk),
    }
    assert stray not in left


def row(world: World, volume: Volume, name: str = "manager") -> str:
    return world.client(name).get(f"/storage/{world.pool.pk}/?block=rows&ids={volume.pk}").content.decode()


def test_a_row_offers_what_can_be_done_with_its_volume(world: World) -> None:
    used, iso = row(world, world.volume), row(world, world.iso)
    for text in (used, iso):
        for verb in ("clone", "delete", "download"):
            assert f"/{verb}/" in text
    assert ("/grow/" in used, "/grow/" in iso) == (True, False)
    assert f"/instances/create/?cdrom={world.iso.pk}" in iso
    assert "/instances/create/" not in used
    free = Volume.objects.create(pool=world.pool, name="free.qcow2", path="/pool/free.qcow2", format="qcow2")
    assert f"/instances/create/?disk={free.pk}" in row(world, free)
    Volume.objects.create(pool=world.pool, name="over", path="/pool/over", backing_path="/pool/free.qcow2")
    assert "/instances/create/" not in row(world, free)
    for name in ("viewer", "operator"):
        assert "<form" not in row(world, world.iso, name)
