"""A pool of our own on the real host, its row as the monitor would write it, and a monitor that says 'seen'."""

import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from accounts.models import User
from hosts.models import Host, HostStatus
from hosts.settle import answer, look_key, parse_look
from storage import jobs  # noqa: F401 - a worker knows its jobs
from storage.models import Pool
from tests.virsh import must_virsh
from virt import storage
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.xml.storage import Pool as PoolXml

URI = "qemu:///system"


def virsh(*arguments: str) -> str:
    return must_virsh(*arguments)


@pytest.fixture
def conn() -> Iterator[Connection]:
    with open_connection(Access(URI)) as connection:
        yield connection


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of our own, that QEMU's user can read."""
    folder = Path(tempfile.mkdtemp(prefix="t-storage-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def pool_name(conn: Connection, folder: Path) -> Iterator[str]:
    """An active pool on that folder."""
    name = f"t-storage-{secrets.token_hex(4)}"
    storage.define_pool(
        conn, PoolXml(type="dir", name=name, path=str(folder)), autostart=False, start=True, build=False
    )
    yield name
    virsh("pool-destroy", name)
    virsh("pool-undefine", name)


@pytest.fixture
def actor(transactional_db: None) -> User:
    return User.objects.create_superuser("alice", password="alice's password")


@pytest.fixture
def pool(conn: Connection, pool_name: str, folder: Path, transactional_db: None) -> Pool:
    host = Host.objects.create(name="here", uri=URI)
    HostStatus.objects.create(host=host, state=HostStatus.State.UP)
    known = next(found for found in storage.list_pools(conn) if found.name == pool_name)
    facts = storage.describe_pool(conn, known.uuid)
    return Pool.objects.create(
        host=host, uuid=facts.uuid, name=pool_name, type="dir", state="active", path=str(folder),
        capacity_bytes=facts.capacity_bytes, available_bytes=facts.available_bytes,
    )  # fmt: skip


@pytest.fixture
def monitor(pool: Pool, redis_server: redis.Redis) -> Iterator[None]:
    """Answers every look, so that no job waits for rows that this test does not read."""
    over = threading.Event()
    key = look_key(pool.host_id)

    def watch() -> None:
        while not over.is_set():
            found = redis_server.blpop([key], timeout=0.2)
            if found:
                answer(parse_look(pool.host_id, found[1]))

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    over.set()
    thread.join()
