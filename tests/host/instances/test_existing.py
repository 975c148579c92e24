"""A guest from a disk that is there, on a real host: what it boots from, what is refused, and what stays."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User
from instances import services
from instances.models import Instance
from instances.spec import MIB, resolve
from storage.models import Pool, Volume
from tasks.models import Task
from tests.host.instances.conftest import virsh
from virt.xml.domain import Domain
from virt.xml.own import Own

Work = Callable[[Task], Task]
Look = Callable[[], None]


def image(*arguments: str) -> None:
    subprocess.run(["qemu-img", *arguments], check=True, capture_output=True)


@pytest.fixture
def disk(pool: Pool, folder: Path, look: Look) -> str:
    """The name of a disk in the pool, laid over another one of it."""
    virsh("vol-create-as", pool.name, "base.raw", "64M", "--format", "raw")
    virsh("vol-create-as", pool.name, "old.qcow2", "64M", "--format", "qcow2",
          "--backing-vol", "base.raw", "--backing-vol-format", "raw")  # fmt: skip
    look()
    return "old.qcow2"


def ask(admin: User, pool: Pool, disk: str, name: str = "", *, start: bool = False) -> Task:
    """The task of a guest with this disk; by default it is called after it, so that its disk looks like its own."""
    spec = resolve(
        {
            "host": pool.host_id,
            "name": name or pool.name,
            "memory_bytes": 64 * MIB,
            "vcpus": 1,
            "disks": [{"volume": Volume.objects.get(pool=pool, name=disk).pk}],
            "networks": [],
            "start": start,
        },
        user=admin,
    )
    return services.create_instance(spec=spec, actor=admin)


def test_a_guest_takes_the_disk_over_and_leaves_it(
    admin: User, pool: Pool, work: Work, look: Look, folder: Path, disk: str
) -> None:
    (folder / disk).rename(folder / f"{pool.name}.qcow2")
    virsh("pool-refresh", pool.name)
    look()
    task = work(ask(admin, pool, f"{pool.name}.qcow2", start=True))
    assert task.state == Task.State.SUCCEEDED, task.error
    guest = Instance.objects.get(uuid=task.result["uuid"])
    assert str(folder / f"{pool.name}.qcow2") in virsh("domblklist", guest.name)
    own = Own.of(Domain.parse(virsh("dumpxml", "--inactive", guest.name)))
    assert own.brought_paths == {str(folder / f"{pool.name}.qcow2")}

    deleted = work(services.delete_instance(instance=guest, volumes="delete", actor=admin))
    assert deleted.result == {"deleted": []}
    assert (folder / f"{pool.name}.qcow2").exists()
    assert (folder / "base.raw").exists()


def test_a_delete_that_names_the_disk_all_the_same_leaves_it(
    admin: User, pool: Pool, work: Work, folder: Path, disk: str
) -> None:
    guest = Instance.objects.get(uuid=work(ask(admin, pool, disk)).result["uuid"])
    task = services.delete_instance(instance=guest, volumes="keep", actor=admin)
    volume = {"pool": str(pool.uuid), "name": disk, "path": str(folder / disk)}
    Task.objects.filter(pk=task.pk).update(arguments={"volumes": [volume]})
    assert work(task).result == {"deleted": []}
    assert (folder / disk).exists()


def spoil(folder: Path, disk: str, how: str) -> None:
    """Make another image of the disk, as the host's own list may not say yet."""
    path = str(folder / disk)
    if how == "laid over the host's own file":
        image("rebase", "-u", "-f", "qcow2", "-b", "/etc/shadow", "-F", "raw", path)
    elif how == "laid over nothing":
        image("create", "-f", "qcow2", path, "64M")
    elif how == "raw":
        image("create", "-f", "raw", path, "64M")
    elif how == "keeps its data elsewhere":
        image("create", "-f", "qcow2", "-o", f"data_file={folder}/data,data_file_raw=on", path, "64M")


@pytest.mark.parametrize("refreshed", [False, True])
@pytest.mark.parametrize(
    "how", ["laid over the host's own file", "laid over nothing", "raw", "keeps its data elsewhere"]
)
def test_a_disk_that_became_another_image_is_not_opened(
    admin: User, pool: Pool, work: Work, folder: Path, disk: str, how: str, refreshed: bool
) -> None:
    task = ask(admin, pool, disk, start=True)
    spoil(folder, disk, how)
    if refreshed:
        virsh("pool-refresh", pool.name)
    work(task)
    assert task.state == Task.State.FAILED
    assert task.error["title"] == "The disk has changed"
    assert pool.name not in virsh("list", "--all", "--name").split()


def test_a_disk_that_is_gone_or_taken_meanwhile_is_said(
    admin: User, pool: Pool, work: Work, folder: Path, disk: str
) -> None:
    taken, late = ask(admin, pool, disk), ask_again(admin, pool, disk)
    assert work(taken).state == Task.State.SUCCEEDED
    assert work(late).error["title"] == "The disk is in use"

    work(services.delete_instance(instance=Instance.objects.get(), volumes="keep", actor=admin))
    gone = ask(admin, pool, disk)
    virsh("vol-delete", disk, "--pool", pool.name)
    assert work(gone).error["title"] == "The disk is not there"


def ask_again(admin: User, pool: Pool, disk: str) -> Task:
    """A second task for the disk, as two people's presses in one moment make it."""
    first = Task.objects.get()
    Task.objects.filter(pk=first.pk).update(state=Task.State.SUCCEEDED)
    second = ask(admin, pool, disk, f"{pool.name}-late")
    Task.objects.filter(pk=first.pk).update(state=Task.State.QUEUED)
    return second
