"""The pages of pools and uploads: who sees what, and at what price."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Grant, Role
from storage import spool, uploads
from storage.models import Pool, Upload, Volume, VolumeUse
from tasks.models import Task
from tests.unit.storage.test_uploads import fill, moving, open_upload
from tests.unit.world import World, grant, make_instance


def page(world: World, name: str, path: str) -> str:
    answer = world.client(name).get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def urls(world: World) -> list[str]:
    return [
        f"/storage/{world.pool.pk}/",
        f"/storage/{world.pool.pk}/?block=rows",
        f"/storage/{world.pool.pk}/?block=cards",
    ]


def test_it_hides_pools_from_strangers(world: World) -> None:
    assert "default" not in page(world, "stranger", "/storage/")
    for url in [*urls(world), f"/storage/{world.pool.pk}/upload/"]:
        assert world.client("stranger").get(url).status_code == 404
        assert world.client("anonymous").get(url).status_code == 302
    assert world.client("stranger").post(f"/storage/{world.pool.pk}/refresh/").status_code == 404


def test_a_viewer_sees_the_pool_and_changes_nothing(world: World) -> None:
    shown = page(world, "viewer", f"/storage/{world.pool.pk}/")
    assert "boot.iso" in shown
    assert "Upload" not in shown
    assert "Read the pool again" not in shown
    assert world.client("viewer").get(f"/storage/{world.pool.pk}/upload/").status_code == 403
    assert world.client("viewer").post(f"/storage/{world.pool.pk}/refresh/").status_code == 403
    assert not Task.objects.filter(kind="storage.refresh_pool").exists()


def test_it_names_the_guest_that_uses_a_volume(world: World) -> None:
    assert f'href="/instances/{world.instance.pk}/">web-1</a>' in page(world, "viewer", f"/storage/{world.pool.pk}/")


def test_it_does_not_name_a_guest_to_whom_only_the_pool_was_granted(world: World) -> None:
    grant(world.stranger, Role.VIEWER, Grant.Scope.POOL, world.host, world.pool.uuid)
    shown = page(world, "stranger", f"/storage/{world.pool.pk}/")
    assert "web-1.qcow2" in shown
    assert ">web-1<" not in shown
    assert "a guest that you may not see" in shown


def test_it_finds_sorts_and_pages_volumes(world: World) -> None:
    for number in range(60):
        Volume.objects.create(pool=world.pool, name=f"disk-{number:02}", path=f"/pool/d{number}", capacity_bytes=number)
    url = f"/storage/{world.pool.pk}/"
    assert "disk-42" in page(world, "viewer", f"{url}?q=k-42")
    assert "disk-43" not in page(world, "viewer", f"{url}?q=k-42")
    assert "No volume matches" in page(world, "viewer", f"{url}?q=nothing")
    largest = page(world, "viewer", f"{url}?sort=-size")
    assert largest.index("web-1.qcow2") < largest.index("disk-59") < largest.index("disk-58")
    assert "disk-59" in page(world, "viewer", f"{url}?page=2")
    assert "62 volumes" in largest


def test_a_live_page_gets_just_the_rows_it_asks_for(world: World) -> None:
    rows = page(world, "viewer", f"/storage/{world.pool.pk}/?block=rows&ids={world.iso.pk}")
    assert f'id="volume-{world.iso.pk}"' in rows
    assert "web-1.qcow2" not in rows
    assert "<html" not in rows
    assert page(world, "viewer", f"/storage/{world.pool.pk}/?block=rows&ids=999,x,{'9' * 30}").strip() == ""


def test_a_pool_that_is_not_active_is_not_called_empty(world: World) -> None:
    Pool.objects.update(state=Pool.State.INACTIVE)
    Volume.objects.all().delete()
    page = world.client("manager").get(f"/storage/{world.pool.pk}/").content.decode()
    assert "The pool is not active" in page
    assert "No volumes yet" not in page
    Pool.objects.update(state=Pool.State.ACTIVE)
    block = world.client("viewer").get(f"/storage/{world.pool.pk}/?block=empty").content.decode()
    assert "No volumes yet" in block
    assert "Drop a file" not in block  # a viewer cannot


def test_the_list_filters_by_host(world: World) -> None:
    Pool.objects.create(host=world.other_host, uuid=uuid.uuid4(), name="elsewhere", type="dir", state="inactive")
    assert "elsewhere" in page(world, "admin", "/storage/")
    assert "elsewhere" not in page(world, "admin", f"/storage/?host={world.host.pk}")
    assert "elsewhere" not in page(world, "viewer", "/storage/")
    assert "No pool matches" in page(world, "admin", "/storage/?host=x")


@pytest.mark.usefixtures("redis_server")
def test_what_is_said_above_a_page_stays_there(world: World) -> None:
    shown = page(world, "viewer", f"/storage/{world.pool.pk}/")
    assert "What you see may be old" in shown
    assert 'name="q" value=""' in shown


def test_a_silent_hosts_pool_says_since_when(world: World) -> None:
    world.host_is_down()
    assert "not heard since" in page(world, "viewer", f"/storage/{world.pool.pk}/")
    assert world.client("manager").post(f"/storage/{world.pool.pk}/refresh/").status_code == 503


def test_a_pool_whose_daemon_is_away_is_shown_as_last_known_and_says_why(world: World) -> None:
    world.part_is_away("virtstoraged")
    for url in (f"/storage/{world.pool.pk}/", f"/storage/{world.pool.pk}/?block=away"):
        shown = page(world, "viewer", url)
        assert "virtstoraged does not run on the host." in shown
        assert "systemctl enable --now virtstoraged.socket" in shown
    assert "not heard since" in page(world, "viewer", "/storage/")
    assert world.volume.name in page(world, "viewer", f"/storage/{world.pool.pk}/")
    assert "does not run" not in page(world, "viewer", f"/networks/{world.network.pk}/")
    world.host_is_down()
    assert "does not run" not in page(world, "viewer", f"/storage/{world.pool.pk}/"), "nobody knows that now"


def test_reading_a_pool_again_is_one_task_a_key(world: World) -> None:
    client = world.client("operator")
    for _press in range(2):
        answer = client.post(
            f"/storage/{world.pool.pk}/refresh/", {"idempotency_key": "one"}, headers={"X-Webvirt-Toast": "1"}
        )
        assert answer.json()["task"]["kind"] == "storage.refresh_pool"
    assert Task.objects.filter(kind="storage.refresh_pool").count() == 1
    assert client.get(f"/storage/{world.pool.pk}/refresh/").status_code == 405


def test_an_unfinished_upload_asks_its_owner_for_the_same_file(world: World) -> None:
    upload = fill(open_upload(world), b"x" * 250)
    shown = page(world, "manager", f"/storage/{world.pool.pk}/?block=uploads")
    assert "Choose the same file to go on" in shown
    assert f'data-open="{upload.pk}"' in shown
    assert 'value="25"' in shown
    assert "debian.iso" not in page(world, "operator", f"/storage/{world.pool.pk}/?block=uploads")
    assert "data-open" not in page(world, "admin", f"/storage/{world.pool.pk}/?block=uploads")


def test_an_upload_shows_its_way_into_the_pool(world: World) -> None:
    upload, task = moving(world)
    url = f"/storage/{world.pool.pk}/upload/?block=uploads"
    Task.objects.filter(pk=task.pk).update(state="running", progress=40, progress_text="2.31 of 3.72 GiB")
    assert "2.31 of 3.72 GiB" in page(world, "manager", url)
    Task.objects.filter(pk=task.pk).update(
        state="failed", error={"title": "Not enough room", "detail": "", "hint": "", "params": {}, "libvirt": ""}
    )
    failed = page(world, "manager", url)
    assert "Not enough room" in failed
    assert f"/storage/uploads/{upload.pk}/retry/" in failed
    assert world.client("manager").post(f"/storage/uploads/{upload.pk}/retry/").status_code == 302
    upload.refresh_from_db()
    assert Task.objects.get(pk=upload.task_id).state == "queued"
    uploads.mark_done(upload)
    Task.objects.update(state="succeeded")
    assert "In the pool" not in page(world, "manager", url)  # not before the volume is known
    volume = Volume.objects.create(pool=world.pool, name="debian.iso", path="/pool/debian.iso")
    assert f"/instances/create/?cdrom={volume.pk}" in page(world, "manager", url)
    assert "debian.iso" not in page(world, "manager", f"/storage/{world.pool.pk}/?block=uploads")


def test_cancelling_removes_what_has_come(world: World) -> None:
    upload = fill(open_upload(world))
    assert world.client("operator").post(f"/storage/uploads/{upload.pk}/cancel/").status_code == 404
    assert world.client("manager").post(f"/storage/uploads/{upload.pk}/cancel/").status_code == 302
    assert not Upload.objects.exists()
    assert not spool.path_of(upload.pk).exists()


def populate(world: World, count: int) -> None:
    for number in range(count):
        guest = make_instance(world.host, f"guest-{count}-{number}")
        path = f"/pool/v-{count}-{number}"
        Volume.objects.create(pool=world.pool, name=f"v-{count}-{number}", path=path)
        VolumeUse.objects.create(
            host=world.host, path=path, instance_uuid=guest.uuid, instance_name=guest.name, device="vda"
        )
        open_upload(world, filename=f"u-{count}-{number}.iso")
        Pool.objects.create(
            host=world.host, uuid=uuid.uuid4(), name=f"p-{count}-{number}", type="dir", state="active",
            capacity_bytes=100, available_bytes=50,
        )  # fmt: skip


@pytest.mark.parametrize("name", ["manager", "admin"])
def test_a_page_costs_the_same_with_five_rows_and_fifty(world: World, name: str) -> None:
    client = world.client(name)
    pages = ["/storage/", f"/storage/{world.pool.pk}/", f"/storage/{world.pool.pk}/upload/"]

    def prices() -> list[int]:
        found = []
        for url in pages:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            found.append(len(queries))
        return found

    populate(world, 5)
    five = prices()
    populate(world, 50)
    assert prices() == five
    assert max(five) <= 40
