"""Pools of a real host: made, stopped, started, and forgotten with their files kept."""

import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from storage import services
from storage.models import Pool
from tasks import runner
from tasks.context import Context
from tasks.models import Task
from tests.host.storage.conftest import URI, virsh
from virt import storage
from virt.connection import Connection

pytestmark = pytest.mark.usefixtures("monitor")


def run(task: Task) -> Task:
    runner.run(task.pk)
    task.refresh_from_db()
    return task


@pytest.fixture
def name() -> Iterator[str]:
    name = f"t-storage-{secrets.token_hex(4)}"
    yield name
    for verb in ("pool-destroy", "pool-undefine"):
        subprocess.run(["virsh", "-c", URI, verb, name], capture_output=True)


def test_a_pool_lives_from_its_making_to_its_removal(
    conn: Connection, pool: Pool, actor: User, name: str, folder: Path
) -> None:
    place = folder / "made 目录"
    task = run(services.create_pool(host=pool.host, name=name, path=str(place), actor=actor))
    assert task.state == "succeeded", task.error
    made = storage.describe_pool(conn, task.ref.uuid or pool.uuid)
    assert (made.name, made.active, made.autostart, made.path) == (name, True, True, str(place))
    virsh("vol-create-as", name, "disk", "4096")
    own = Pool.objects.create(host=pool.host, uuid=made.uuid, name=name, type="dir", state="active", path=str(place))
    for ask, active in ((services.stop_pool, False), (services.start_pool, True)):
        assert run(ask(pool=own, actor=actor)).state == "succeeded"
        assert storage.describe_pool(conn, made.uuid).active is active
        own.state = "active" if active else "inactive"
    assert run(services.set_pool_autostart(pool=own, autostart=False, actor=actor)).state == "succeeded"
    assert storage.describe_pool(conn, made.uuid).autostart is False
    assert run(services.remove_pool(pool=own, actor=actor)).state == "succeeded"
    assert name not in virsh("pool-list", "--all", "--name")
    assert (place / "disk").exists()


def test_a_folder_that_another_pool_has_is_left_to_it(pool: Pool, actor: User, name: str) -> None:
    Pool.objects.filter(pk=pool.pk).update(path="/elsewhere")
    task = run(services.create_pool(host=pool.host, name=name, path=pool.path, actor=actor))
    assert task.state == "failed"
    assert name not in virsh("pool-list", "--all", "--name")
    assert pool.name in virsh("pool-list", "--name")


def test_undoing_forgets_the_pool_that_was_half_made(pool: Pool, actor: User, name: str, folder: Path) -> None:
    task = services.create_pool(host=pool.host, name=name, path=str(folder / "half"), actor=actor)
    context = Context(task, threading.Event())
    context.make(pool=str(task.object_uuid))
    assert runner.JOBS[task.kind].undo
    runner.JOBS[task.kind].run(context)
    Task.objects.filter(pk=task.pk).update(made=[{"pool": str(task.object_uuid)}])
    task.refresh_from_db()
    for _time in range(2):
        runner.undo(Context(task, threading.Event()))
        assert name not in virsh("pool-list", "--all", "--name")
        task.made = [{"pool": str(task.object_uuid)}]
    assert (folder / "half").is_dir()
