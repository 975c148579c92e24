"""A guest's life on a real host, by the services and a worker: made, started, paused, given another CD, deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from accounts.models import User
from hosts.models import Host
from instances import services
from instances.jobs import screenshot
from instances.models import Instance
from instances.spec import GIB, MIB, Spec, Wanted, resolve
from networks.models import Network
from storage.models import Pool, Volume
from tasks.errors import Refused
from tasks.models import Task
from tests.host.instances.conftest import ISO, virsh
from tests.waiting import wait_for
from virt import usage
from virt.connection import Connection
from virt.errors import InvalidState

Work = Callable[[Task], Task]


def spec_of(admin: User, pool: Pool, **more: object) -> Spec:
    wanted: Wanted = {
        "host": pool.host_id,
        "name": pool.name,
        "memory_bytes": 256 * MIB,
        "vcpus": 1,
        "disks": [{"pool": pool.pk, "size_bytes": GIB}],
        "cdrom": Volume.objects.get(pool=pool, name=ISO).pk,
        "networks": [],
        **more,  # type: ignore[typeddict-item]
    }
    return resolve(wanted, user=admin)


def create(admin: User, pool: Pool, work: Work, **more: object) -> Instance:
    task = work(services.create_instance(spec=spec_of(admin, pool, **more), actor=admin))
    assert task.state == Task.State.SUCCEEDED, task.error
    return Instance.objects.get(uuid=task.result["uuid"])


def done(task: Task) -> Task:
    assert task.state == Task.State.SUCCEEDED, task.error
    return task


def test_a_guest_is_made_from_an_iso_and_lives(
    admin: User, pool: Pool, work: Work, network: Network, folder: Path
) -> None:
    guest = create(admin, pool, work, start=True, networks=[{"network": network.pk}])
    assert virsh("domstate", guest.name).strip() == "running"
    assert (folder / f"{guest.name}.qcow2").exists()
    assert f"source network='{network.name}'" in virsh("dumpxml", guest.name)

    wait_for(lambda: screenshot(guest.host_id, {"uuid": str(guest.uuid)}))

    done(work(services.suspend(instance=guest, actor=admin)))
    assert virsh("domstate", guest.name).strip() == "paused"
    guest = Instance.objects.get(uuid=guest.uuid)
    done(work(services.resume(instance=guest, actor=admin)))
    assert virsh("domstate", guest.name).strip() == "running"

    guest = Instance.objects.get(uuid=guest.uuid)
    done(work(services.change_media(instance=guest, volume=None, actor=admin)))
    assert ISO not in virsh("domblklist", guest.name)
    iso = Volume.objects.get(pool=pool, name=ISO)
    guest = Instance.objects.get(uuid=guest.uuid)
    done(work(services.change_media(instance=guest, volume=iso, actor=admin)))
    assert ISO in virsh("domblklist", guest.name)
    assert ISO in virsh("dumpxml", "--inactive", guest.name)

    guest = Instance.objects.get(uuid=guest.uuid)
    done(work(services.reset(instance=guest, actor=admin)))
    done(work(services.set_autostart(instance=guest, autostart=True, actor=admin)))
    assert "Autostart:      enable" in virsh("dominfo", guest.name)
    done(work(services.destroy(instance=guest, actor=admin)))
    assert virsh("domstate", guest.name).strip() == "shut off"

    guest = Instance.objects.get(uuid=guest.uuid)
    with pytest.raises(InvalidState):
        screenshot(guest.host_id, {"uuid": str(guest.uuid)})
    done(work(services.start(instance=guest, actor=admin)))
    guest = Instance.objects.get(uuid=guest.uuid)
    deleted = done(work(services.delete_instance(instance=guest, volumes="delete", actor=admin)))
    assert deleted.result == {"deleted": [f"{guest.name}.qcow2"]}
    assert guest.name not in virsh("list", "--all", "--name").split()
    assert sorted(path.name for path in folder.iterdir()) == [ISO]


def again(guest: Instance) -> Instance:
    """Its row as it is now."""
    return Instance.objects.get(uuid=guest.uuid)


def test_a_guest_goes_on_from_where_it_was_saved(admin: User, pool: Pool, work: Work) -> None:
    guest = create(admin, pool, work, start=True)
    done(work(services.save(instance=guest, actor=admin)))
    assert virsh("domstate", guest.name).strip() == "shut off"
    assert again(guest).has_managed_save

    with pytest.raises(Refused):
        services.start_from_cd(instance=again(guest), actor=admin)
    done(work(services.start(instance=again(guest), actor=admin)))
    assert virsh("domstate", guest.name, "--reason").strip() == "running (restored)"
    assert not again(guest).has_managed_save


def test_saved_memory_is_thrown_away(admin: User, pool: Pool, work: Work) -> None:
    guest = create(admin, pool, work, start=True)
    done(work(services.save(instance=guest, actor=admin)))
    done(work(services.discard(instance=again(guest), actor=admin)))
    assert not again(guest).has_managed_save
    done(work(services.start(instance=again(guest), actor=admin)))
    assert virsh("domstate", guest.name, "--reason").strip() == "running (booted)"


@pytest.mark.parametrize("start", [False, True])
def test_what_is_said_about_a_guest_is_in_its_definition(admin: User, pool: Pool, work: Work, start: bool) -> None:
    guest = create(admin, pool, work, start=start)
    said: services.Edits = {"title": "The shop", "notes": "Mind <it>\nalways", "tags": ["prod", "生产"]}
    done(work(services.edit(instance=guest, changes=said, actor=admin)))
    row = again(guest)
    assert (row.title, row.notes, row.tags) == ("The shop", "Mind <it>\nalways", ["prod", "生产"])
    for more in ([], ["--inactive"]):
        assert virsh("desc", guest.name, "--title", *(["--config"] if more else [])).strip() == "The shop"
        assert "<webvirt:tag>生产</webvirt:tag>" in virsh("dumpxml", guest.name, *more)

    removed: services.Edits = {"title": "", "notes": "", "tags": [], "autostart": True}
    done(work(services.edit(instance=row, changes=removed, actor=admin)))
    row = again(guest)
    assert (row.title, row.notes, row.tags, row.autostart) == ("", "", [], True)


def test_what_is_said_about_a_saved_guest_is_still_so_when_it_goes_on(admin: User, pool: Pool, work: Work) -> None:
    guest = create(admin, pool, work, start=True)
    done(work(services.edit(instance=guest, changes={"title": "Old", "tags": ["old"]}, actor=admin)))
    done(work(services.save(instance=again(guest), actor=admin)))
    said: services.Edits = {"title": "The shop", "notes": "Mind <it>", "tags": ["prod", "生产"]}
    done(work(services.edit(instance=again(guest), changes=said, actor=admin)))
    done(work(services.start(instance=again(guest), actor=admin)))
    row = again(guest)
    assert virsh("domstate", guest.name, "--reason").strip() == "running (restored)"
    assert (row.title, row.notes, row.tags) == ("The shop", "Mind <it>", ["prod", "生产"])
    assert virsh("dumpxml", guest.name).count("<webvirt:domain ") == 1


def test_saved_memory_that_cannot_be_read_is_in_no_way_but_its_own(
    admin: User, pool: Pool, work: Work, conn: Connection, folder: Path
) -> None:
    guest = create(admin, pool, work, start=True)
    done(work(services.save(instance=guest, actor=admin)))
    image = Path(f"/var/lib/libvirt/qemu/save/{guest.name}.save")
    image.write_bytes(b"no memory at all" * 4096)
    done(work(services.edit(instance=again(guest), changes={"title": "The shop"}, actor=admin)))
    assert again(guest).title == "The shop"
    assert usage.users_of(conn, str(folder / ISO)) == [(guest.uuid, guest.name)]
    done(work(services.discard(instance=again(guest), actor=admin)))


def test_a_saved_guest_keeps_the_cd_with_which_it_goes_on(
    admin: User, pool: Pool, work: Work, conn: Connection, folder: Path
) -> None:
    guest = create(admin, pool, work, start=True)
    before = services.change_media(instance=guest, volume=None, actor=admin)
    virsh("managedsave", guest.name)
    ended = work(before)
    assert (ended.state, ended.error_words["hint"]) == ("failed", "Start it, or discard the saved memory first.")
    virsh("change-media", guest.name, "sda", "--eject", "--config")
    assert usage.users_of(conn, str(folder / ISO)) == [(guest.uuid, guest.name)]
    done(work(services.start(instance=again(guest), actor=admin)))


def orders(name: str, *more: str) -> dict[str, str]:
    """Each disk's place in the boot order."""
    devices = etree.fromstring(virsh("dumpxml", name, *more)).findall("devices/disk[boot]")
    return {str(disk.find("target").get("dev")): disk.find("boot").get("order") for disk in devices}


def test_a_start_from_the_cd_is_for_once_and_changes_nothing(admin: User, pool: Pool, work: Work) -> None:
    guest = create(admin, pool, work)
    before = virsh("dumpxml", "--inactive", guest.name)
    done(work(services.start_from_cd(instance=guest, actor=admin)))
    assert orders(guest.name) == {"vda": "2", "sda": "1"}
    assert orders(guest.name, "--inactive") == {"vda": "1", "sda": "2"}
    assert virsh("dumpxml", "--inactive", guest.name) == before
    assert again(guest).persistent

    done(work(services.destroy(instance=again(guest), actor=admin)))
    assert virsh("dumpxml", "--inactive", guest.name) == before
    done(work(services.start(instance=again(guest), actor=admin)))
    assert orders(guest.name) == {"vda": "1", "sda": "2"}


def test_after_a_start_from_the_cd_that_is_taken_out_and_another_put_in(admin: User, pool: Pool, work: Work) -> None:
    """The drive's place in the boot order is then another one in what runs than in what is kept."""
    guest = create(admin, pool, work)
    done(work(services.start_from_cd(instance=guest, actor=admin)))
    done(work(services.change_media(instance=again(guest), volume=None, actor=admin)))
    assert ISO not in virsh("domblklist", guest.name)
    assert ISO not in virsh("domblklist", guest.name, "--inactive")
    iso = Volume.objects.get(pool=pool, name=ISO)
    done(work(services.change_media(instance=again(guest), volume=iso, actor=admin)))
    assert ISO in virsh("domblklist", guest.name)
    assert orders(guest.name) == {"vda": "2", "sda": "1"}
    assert orders(guest.name, "--inactive") == {"vda": "1", "sda": "2"}


def test_a_start_from_the_cd_that_fails_changes_nothing(admin: User, pool: Pool, work: Work, folder: Path) -> None:
    guest = create(admin, pool, work)
    before = virsh("dumpxml", "--inactive", guest.name)
    (folder / f"{guest.name}.qcow2").rename(folder / "away.qcow2")
    task = work(services.start_from_cd(instance=guest, actor=admin))
    assert task.state == Task.State.FAILED
    assert virsh("dumpxml", "--inactive", guest.name) == before
    (folder / "away.qcow2").rename(folder / f"{guest.name}.qcow2")
    done(work(services.start(instance=again(guest), actor=admin)))
    assert orders(guest.name) == {"vda": "1", "sda": "2"}


def test_a_second_disk_is_named_after_the_guest(admin: User, pool: Pool, work: Work, folder: Path) -> None:
    disks = [{"pool": pool.pk, "size_bytes": GIB}, {"pool": pool.pk, "size_bytes": GIB, "bus": "scsi"}]
    guest = create(admin, pool, work, disks=disks, cdrom=None, firmware="uefi")
    assert {path.name for path in folder.iterdir()} == {ISO, f"{guest.name}.qcow2", f"{guest.name}-2.qcow2"}
    done(work(services.start(instance=guest, actor=admin)))


def test_deleting_keeps_the_disks_unless_asked(admin: User, pool: Pool, work: Work, folder: Path) -> None:
    guest = create(admin, pool, work)
    done(work(services.delete_instance(instance=guest, volumes="keep", actor=admin)))
    assert (folder / f"{guest.name}.qcow2").exists()


def test_deleting_keeps_a_disk_that_another_guest_took_meanwhile(
    admin: User, pool: Pool, work: Work, folder: Path
) -> None:
    guest = create(admin, pool, work)
    task = services.delete_instance(instance=guest, volumes="delete", actor=admin)
    other = f"{guest.name}-other"
    define_on(other, folder / f"{guest.name}.qcow2")
    done(work(task))
    assert (folder / f"{guest.name}.qcow2").exists()
    assert any(other in line.text for line in task.log.all())


def test_deleting_keeps_a_disk_that_others_are_built_on(
    admin: User, pool: Pool, work: Work, folder: Path, look: Callable[[], None]
) -> None:
    guest = create(admin, pool, work)
    task = services.delete_instance(instance=guest, volumes="delete", actor=admin)
    virsh("vol-create-as", pool.name, "clone.qcow2", "1G", "--format", "qcow2",
          "--backing-vol", f"{guest.name}.qcow2", "--backing-vol-format", "qcow2")  # fmt: skip
    done(work(task))
    assert (folder / f"{guest.name}.qcow2").exists()
    assert any("clone.qcow2" in line.text for line in task.log.all())


def test_a_name_that_only_libvirt_knows_is_refused_by_the_job(
    admin: User, pool: Pool, work: Work, folder: Path
) -> None:
    define_on(pool.name, folder / "elsewhere.qcow2")
    task = work(services.create_instance(spec=spec_of(admin, pool), actor=admin))
    assert task.state == Task.State.FAILED
    assert task.error["title"] == "The name is taken"
    assert [path.name for path in folder.iterdir()] == [ISO]


def test_an_image_that_is_gone_from_the_host_is_said(admin: User, pool: Pool, work: Work, folder: Path) -> None:
    task = services.create_instance(spec=spec_of(admin, pool), actor=admin)
    virsh("vol-delete", ISO, "--pool", pool.name)
    work(task)
    assert task.error["title"] == "The image is not there"
    assert list(folder.iterdir()) == []


def test_a_definition_that_fails_leaves_no_volume(admin: User, pool: Pool, work: Work, folder: Path) -> None:
    task = services.create_instance(spec=spec_of(admin, pool), actor=admin)
    Task.objects.filter(pk=task.pk).update(arguments={**task.arguments, "machine": "no-such-machine"})
    work(task)
    assert task.state == Task.State.FAILED
    assert task.error["libvirt"]
    assert [path.name for path in folder.iterdir()] == [ISO]
    assert task.made == []


def test_a_start_that_fails_leaves_neither_guest_nor_volume(
    admin: User, pool: Pool, work: Work, folder: Path, network: Network
) -> None:
    spec = spec_of(admin, pool, start=True, networks=[{"network": network.pk}])
    task = services.create_instance(spec=spec, actor=admin)
    virsh("net-destroy", network.name)
    try:
        work(task)
    finally:
        virsh("net-start", network.name)
    assert task.state == Task.State.FAILED
    assert pool.name not in virsh("list", "--all", "--name").split()
    assert [path.name for path in folder.iterdir()] == [ISO]


def test_a_guest_that_does_not_listen_fails_in_words(
    admin: User, pool: Pool, work: Work, monkeypatch: pytest.MonkeyPatch, host: Host
) -> None:
    monkeypatch.setattr("instances.jobs.SHUTDOWN_WAIT", 1.0)
    guest = create(admin, pool, work, start=True)
    task = work(services.shutdown(instance=guest, actor=admin))
    assert task.state == Task.State.FAILED
    assert "Force off" in task.error["hint"]
    assert virsh("domstate", guest.name).strip() == "running"


def define_on(name: str, disk: Path) -> None:
    virsh_define = (
        f"<domain type='qemu'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os><devices>"
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/>"
        "<target dev='vda' bus='virtio'/></disk></devices></domain>"
    )
    path = disk.parent.parent / f"{name}.xml"
    path.write_text(virsh_define)
    try:
        virsh("define", str(path))
    finally:
        path.unlink()
