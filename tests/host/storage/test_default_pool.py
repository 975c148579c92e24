"""The default pool on a real host, and reading a pool again."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from storage import jobs, services
from storage.models import Pool
from tasks import runner
from tasks.models import Task
from tests.host.storage.conftest import URI, virsh
from virt import storage
from virt.connection import Connection

pytestmark = pytest.mark.usefixtures("monitor")


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """What the default pool is called here, and where it lies, so that the host's own stays as it is."""
    name = f"t-storage-{secrets.token_hex(4)}"
    monkeypatch.setattr(jobs, "DEFAULT_POOL", name)
    monkeypatch.setattr(jobs, "DEFAULT_PATH", str(folder / "images"))
    yield name
    for verb in ("pool-destroy", "pool-undefine"):
        subprocess.run(["virsh", "-c", URI, verb, name], capture_output=True)


def run(task: Task) -> Task:
    runner.run(task.pk)
    task.refresh_from_db()
    return task


def test_it_is_made_once_and_starts_with_the_host(
    conn: Connection, pool: Pool, actor: User, name: str, folder: Path
) -> None:
    task = run(services.ensure_default_pool(host=pool.host, actor=actor))
    assert task.state == "succeeded", task.error
    made = next(found for found in storage.list_pools(conn) if found.name == name)
    assert (made.active, made.autostart, made.persistent) == (True, True, True)
    assert storage.describe_pool(conn, made.uuid).path == str(folder / "images")
    again = run(services.ensure_default_pool(host=pool.host, actor=actor))
    assert again.state == "succeeded"
    assert "nothing to do" in again.log.get().text


def test_a_folder_that_another_pool_has_is_left_to_it(
    conn: Connection, pool: Pool, actor: User, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "DEFAULT_PATH", pool.path)
    task = run(services.ensure_default_pool(host=pool.host, actor=actor))
    assert pool.name in task.log.get().text
    assert name not in [found.name for found in storage.list_pools(conn)]


def test_reading_a_pool_again_finds_what_was_put_there_by_hand(
    conn: Connection, pool: Pool, actor: User, folder: Path
) -> None:
    (folder / "by-hand.img").write_bytes(bytes(4096))
    assert not storage.volume_exists(conn, pool.uuid, "by-hand.img")
    assert run(services.refresh_pool(pool=pool, actor=actor)).state == "succeeded"
    assert "by-hand.img" in virsh("vol-list", pool.name)
