"""A worker that is killed in the middle of a create, as a program of its own: `killed.py DATA-of-the-test ARGUMENTS`.

Its first word is `create POOL FOLDER` (end by SIGKILL once the domain is defined) or `sweep` (end what was left).
"""

import os
import signal
import sys
import uuid

import django

django.setup()

from accounts.models import User  # noqa: E402
from hosts.models import Host, HostStatus  # noqa: E402
from instances import creation, jobs, services  # noqa: E402, F401
from instances.spec import GIB, MIB, resolve  # noqa: E402
from storage.models import Pool  # noqa: E402
from tasks import runner, sweep  # noqa: E402
from tasks.models import Task  # noqa: E402
from virt import domains, hosts  # noqa: E402
from virt.access import Access  # noqa: E402
from virt.connection import open_connection  # noqa: E402

URI = "qemu:///system"


def ask(pool_name: str, pool_uuid: str) -> Task:
    admin = User.objects.create_superuser("alice")
    host = Host.objects.create(name="here", uri=URI)
    with open_connection(Access(URI)) as conn:
        facts = hosts.describe(conn)
    HostStatus.objects.create(
        host=host,
        state=HostStatus.State.UP,
        driver=facts.driver,
        arch=facts.arch,
        memory_bytes=facts.memory_bytes,
        capabilities_xml=facts.capabilities_xml,
        domcapabilities_xml=facts.domcapabilities_xml,
    )
    pool = Pool.objects.create(
        host=host, uuid=uuid.UUID(pool_uuid), name=pool_name, type="dir", state="active", available_bytes=100 * GIB
    )
    disks = [{"pool": pool.pk, "size_bytes": GIB}, {"pool": pool.pk, "size_bytes": GIB}]
    spec = resolve(
        {"host": host.pk, "name": pool_name, "memory_bytes": 64 * MIB, "vcpus": 1, "disks": disks, "networks": []},
        user=admin,
    )
    return services.create_instance(spec=spec, actor=admin)


def create(pool_name: str, pool_uuid: str) -> None:
    def define_and_die(*arguments: object) -> None:
        defined(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    defined, domains.define = domains.define, define_and_die
    runner.run(ask(pool_name, pool_uuid).pk)


def clean_up() -> None:
    task = Task.objects.get()
    sys.stdout.write(f"{task.state} {len(task.made)}\n")
    sweep.end(task)
    task.refresh_from_db()
    sys.stdout.write(f"{task.state} {len(task.made)}\n")
    sys.stdout.flush()


create(*sys.argv[2:]) if sys.argv[1] == "create" else clean_up()
os._exit(0)  # libvirt's event loop holds the interpreter
