"""The overview says what waits for somebody, and nothing when nothing does."""

import uuid

import pytest
from django.utils import timezone

from hosts.models import HostStatus
from instances.models import Instance
from storage.models import Pool, Volume
from tasks.models import Task
from tests.unit.world import World, make_task

GIB = 1024**3


def overview(world: World, name: str = "admin", block: str = "worries") -> str:
    return world.client(name).get(f"/?block={block}").content.decode()


def fail(world: World, **fields: object) -> Task:
    error = {"title": "It failed", "detail": "The disk is %(state)s.", "hint": "", "params": {"state": "full"},
             "libvirt": "", "code": "failed"}  # fmt: skip
    return make_task(
        world.operator, world.instance, **{"state": "failed", "error": error, "ended_at": timezone.now(), **fields}
    )


def test_a_quiet_fleet_needs_no_attention(world: World) -> None:
    assert "Needs attention" not in overview(world)


def test_a_silent_host_is_told(world: World) -> None:
    world.host_is_down()
    assert "kvm-01 cannot be reached" in overview(world)
    assert "There is no connection to libvirt" in overview(world, "viewer")
    assert "kvm-01" not in overview(world, "stranger")


def test_a_daemon_of_a_host_that_is_up_is_missed(world: World) -> None:
    world.part_is_away("virtstoraged")
    assert "virtstoraged does not run on kvm-01" in overview(world)
    assert "cannot be reached" not in overview(world)


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [("crashed", "panicked", "web-1 crashed"), ("shutoff", "crashed", "web-1 crashed"),
     ("paused", "ioerror", "web-1 was paused by its host")],
)  # fmt: skip
def test_a_broken_guest_is_told(world: World, state: str, reason: str, words: str) -> None:
    Instance.objects.update(state=state, reason=reason)
    assert words in overview(world)


def test_a_guest_that_somebody_paused_is_not_told(world: World) -> None:
    Instance.objects.update(state="paused", reason="user")
    assert "Needs attention" not in overview(world)


def test_a_full_pool_is_told(world: World) -> None:
    Pool.objects.update(available_bytes=9 * 1024**3)
    assert "The pool default on kvm-01 is nearly full" in overview(world)


def test_every_full_pool_is_told(world: World) -> None:
    for number in range(6):
        Pool.objects.create(
            host=world.host, uuid=uuid.uuid4(), name=f"full-{number}", type="dir", state="active",
            capacity_bytes=1000, available_bytes=number,
        )  # fmt: skip
    page = overview(world)
    assert all(f"The pool full-{number} on kvm-01" in page for number in range(6))
    assert "full-0" not in overview(world, "stranger")


def test_a_host_shows_the_pool_that_is_full_first(world: World) -> None:
    Pool.objects.update(capacity_bytes=100 * GIB, available_bytes=50 * GIB)
    page = overview(world, block="hosts")
    assert "50.0 of 100 GiB" in page and "default" not in page, "a host's only pool needs no name"
    for name, free, state in (("isos", 30, "active"), ("old", 1, "inactive")):
        Pool.objects.create(
            host=world.host, uuid=uuid.uuid4(), name=name, type="dir", state=state,
            capacity_bytes=100 * GIB, available_bytes=free * GIB,
        )  # fmt: skip
    page = overview(world, block="hosts")
    assert "70.0 of 100 GiB" in page and " · isos<" in page
    assert "old" not in page and "120" not in page, "two folders may lie on one file system"
    assert "isos" not in overview(world, "stranger", block="hosts")


def test_a_broken_pool_is_told(world: World) -> None:
    Pool.objects.update(state="inaccessible")
    assert "The pool default on kvm-01 is not as it should be" in overview(world)
    assert "libvirt says: Inaccessible." in overview(world)


def test_a_failed_task_is_told_until_it_is_tried_again(world: World) -> None:
    fail(world)
    assert "The disk is full." in overview(world)
    make_task(world.operator, world.instance, state="running")
    assert "The disk is full." not in overview(world)


def test_a_failed_task_of_what_was_removed_since_is_not_told(world: World) -> None:
    fail(world)
    fail(world, kind="storage.grow_volume", object_type="volume", object_uuid=world.pool.uuid, object_name="a.raw")
    deleted = make_task(world.operator, world.instance, kind="instances.delete", state="failed")
    assert overview(world).count("The disk is full.") == 2
    Task.objects.filter(pk=deleted.pk).update(state="succeeded")
    assert overview(world).count("The disk is full.") == 1
    make_task(
        world.admin, world.instance, kind="storage.remove_pool", state="succeeded",
        object_type="pool", object_uuid=world.pool.uuid, object_name="default",
    )  # fmt: skip
    assert "The disk is full." not in overview(world)


def test_an_old_failure_is_not_told(world: World) -> None:
    fail(world, ended_at=timezone.now() - timezone.timedelta(hours=25))
    assert "Needs attention" not in overview(world)


def test_guests_are_counted_by_state(world: World) -> None:
    assert "Shut off" in overview(world, block="states")
    assert "Shut off" not in overview(world, "stranger", block="states")


def test_the_first_steps_are_ticked_as_they_are_done(world: World) -> None:
    assert "Connect a host" not in overview(world, block="first")
    Instance.objects.all().delete()
    assert "New instance" in world.client("admin").get("/").content.decode()
    done = overview(world, block="first")
    assert done.count("i-circle-check") == 2
    Volume.objects.all().delete()
    assert "Upload" in overview(world, block="first")
    HostStatus.objects.update(state=HostStatus.State.CONNECTING)
    assert overview(world, block="first").count("i-circle-check") == 0


def test_the_frame_counts_what_one_may_see(world: World) -> None:
    assert "1 host" in overview(world, "viewer", block="nav")
    assert "0 hosts" in overview(world, "stranger", block="nav")
