"""A pool of our own on the real host, its rows as the monitor would write them, and a worker in this process."""

import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import redis

from accounts.models import User
from hosts.models import Host, HostStatus
from hosts.settle import answer, look_key, parse_look
from instances import jobs  # noqa: F401 - a worker knows its jobs
from instances.models import Instance
from monitor import definitions
from networks.models import Network
from storage.models import Pool, Volume, VolumeUse
from tasks import runner
from tasks.models import Task
from tests.isos import IPXE
from tests.virsh import must_virsh, run_virsh
from virt import domains, hosts, storage
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.xml.storage import Pool as PoolXml

URI = "qemu:///system"
ISO = "ipxe.iso"


def virsh(*arguments: str) -> str:
    return must_virsh(*arguments)


@pytest.fixture
def name() -> Iterator[str]:
    """A name that no other test uses; guests and volumes that bear it are removed in the end."""
    name = f"t-instances-{secrets.token_hex(4)}"
    yield name
    for guest in virsh("list", "--all", "--name").split():
        if guest.startswith(name):
            run_virsh("destroy", guest)
            virsh("undefine", guest, "--nvram")


@pytest.fixture
def conn() -> Iterator[Connection]:
    with open_connection(Access(URI)) as connection:
        yield connection


@pytest.fixture
def folder(conn: Connection, name: str) -> Iterator[Path]:
    """The folder of an active pool of this name, with an ISO in it; QEMU's user can read it."""
    folder = Path(tempfile.mkdtemp(prefix=name, dir="/var/tmp"))
    folder.chmod(0o755)
    shutil.copy(IPXE, folder / ISO)
    storage.define_pool(
        conn, PoolXml(type="dir", name=name, path=str(folder)), autostart=False, start=True, build=False
    )
    yield folder
    virsh("pool-destroy", name)
    virsh("pool-undefine", name)
    shutil.rmtree(folder)


@pytest.fixture
def network(name: str, host: Host) -> Iterator[Network]:
    """An isolated network of this name, active."""
    bridge = f"t{secrets.token_hex(4)}"
    definition = f"<network><name>{name}</name><bridge name='{bridge}'/></network>"
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(definition)
        file.flush()
        virsh("net-define", file.name)
    virsh("net-start", name)
    yield Network.objects.create(host=host, uuid=UUID(virsh("net-uuid", name).strip()), name=name, active=True)
    virsh("net-destroy", name)
    virsh("net-undefine", name)


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("alice", password="alice's password")


@pytest.fixture
def host(db: None, conn: Connection) -> Host:
    host = Host.objects.create(name="here", uri=URI)
    facts = hosts.describe(conn)
    HostStatus.objects.create(
        host=host,
        state=HostStatus.State.UP,
        driver=facts.driver,
        arch=facts.arch,
        cpus=facts.cpus,
        memory_bytes=facts.memory_bytes,
        kvm=facts.kvm,
        kvm_reason=facts.kvm_reason,
        capabilities_xml=facts.capabilities_xml,
        domcapabilities_xml=facts.domcapabilities_xml,
    )
    return host


@pytest.fixture
def pool(conn: Connection, host: Host, folder: Path, name: str) -> Pool:
    found = next(pool for pool in storage.list_pools(conn) if pool.name == name)
    facts = storage.describe_pool(conn, found.uuid)
    return Pool.objects.create(
        host=host,
        uuid=facts.uuid,
        name=name,
        type="dir",
        state=Pool.State.ACTIVE,
        path=str(folder),
        capacity_bytes=facts.capacity_bytes,
        available_bytes=facts.available_bytes,
    )


@pytest.fixture
def look(conn: Connection, host: Host, pool: Pool) -> Callable[[], None]:
    """Write the rows of the pool's volumes and of our guests, as the monitor does."""

    def see() -> None:
        pool.volumes.all().delete()
        for volume in storage.list_volumes(conn, pool.uuid):
            Volume.objects.create(
                pool=pool,
                name=volume.name,
                path=volume.path,
                format=volume.format,
                capacity_bytes=volume.capacity_bytes,
                backing_path=volume.backing_path,
            )
        Instance.objects.filter(host=host).delete()
        VolumeUse.objects.all().delete()
        for listed in domains.list_all(conn):
            if listed.name.startswith(pool.name):
                see_guest(conn, host, listed.uuid)

    see()
    return see


def see_guest(conn: Connection, host: Host, uuid: UUID) -> None:
    facts = domains.describe(conn, uuid)
    disks = [{field: getattr(disk, field) for field in disk.__dataclass_fields__} for disk in facts.disks]
    Instance.objects.create(host=host, uuid=uuid, **definitions.values(facts, disks))
    for disk in facts.disks:
        if disk.path:
            VolumeUse.objects.create(
                host=host, path=disk.path, instance_uuid=uuid, instance_name=facts.name, device=disk.device
            )


@pytest.fixture
def work(redis_server: redis.Redis, host: Host, look: Callable[[], None]) -> Iterator[Callable[[Task], Task]]:
    """Run a task as a worker does; its looks are answered as a monitor does, and the rows written after it."""
    over = threading.Event()

    def monitor() -> None:
        while not over.is_set():
            found = redis_server.blpop([look_key(host.pk)], timeout=0.2)
            if found:
                answer(parse_look(host.pk, found[1]))

    thread = threading.Thread(target=monitor)
    thread.start()

    def run(task: Task) -> Task:
        runner.run(task.pk)
        task.refresh_from_db()
        look()
        return task

    yield run
    over.set()
    thread.join()
