"""Hosts of drivers besides QEMU's, for real: what their pages offer works, and what they lack is not offered."""

from collections.abc import Iterator
from concurrent.futures import Future
from uuid import UUID

import pytest
import redis
from django.test import Client

from hosts.models import Host, HostStatus
from instances import jobs, services  # noqa: F401 - a worker knows its jobs
from instances.models import Instance
from monitor import guests, nets, pools, status
from monitor.link import Link
from storage.models import VolumeUse
from tasks import runner
from tasks.models import Task
from tests.lab.tcp_host import TcpHost
from tests.offered import Walk
from tests.unit.world import person
from virt import hosts, stats
from virt.access import Access
from virt.connection import open_connection
from virt.errors import Unsupported, VirtError

# An init as libvirt knows them, which is told at its pipe: of a reboot (6) it thinks nothing, at the rest it ends.
PROGRAM = "mkfifo /run/initctl; while head -c 384 /run/initctl | grep -q 6; do :; done"
CONTAINER = f"""
<domain type='lxc'>
  <name>t-container</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type>exe</type><init>/bin/sh</init><initarg>-c</initarg><initarg>{PROGRAM}</initarg></os>
  <devices>
    <filesystem type='mount'><source dir='/var/lib/libvirt'/><target dir='/mnt'/></filesystem>
    <filesystem type='ram'><source usage='1' units='MiB'/><target dir='/run'/></filesystem>
    <interface type='network'><source network='default'/></interface>
    <console type='pty'/>
  </devices>
</domain>
"""


# With a CD, a disk and a display, so that everything that the pages know of a guest could be offered.
MACHINE = """
<domain type='test'>
  <name>t-machine</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='i686'>hvm</type><boot dev='hd'/></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='/default-pool/t-disk'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><source file='/default-pool/t.iso'/><target dev='sda' bus='sata'/></disk>
    <interface type='network'><source network='default'/></interface>
    <graphics type='vnc' autoport='yes'/>
  </devices>
</domain>
"""


class Reader:
    """Makes a host's rows true at once, in place of a monitor."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.link = Link(Access(host.uri), note=lambda event: None, closed=lambda: None)

    def sync(self) -> None:
        pk = self.host.pk
        status.facts(pk, self.link.call(hosts.describe))
        status.up(pk)
        guests.sync_list(self.link, pk)
        guests.sync_some(self.link, pk, Instance.objects.filter(host=pk).values_list("uuid", flat=True))
        for uuid in pools.listed(self.link, pk):
            pools.take_in(pk, uuid, self.answer(uuid))
        for uuid in nets.listed(self.link, pk):
            nets.sync_network(self.link, pk, uuid)

    def answer(self, pool: UUID) -> "Future[pools.PoolRead]":
        answer: Future[pools.PoolRead] = Future()
        try:
            answer.set_result(self.link.call(pools.read, pool))
        except VirtError as error:
            answer.set_exception(error)
        return answer


@pytest.fixture
def reader(
    request: pytest.FixtureRequest, tcp_host: TcpHost, db: None, redis_server: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Reader]:  # fmt: skip
    """A host of the driver that the test names, with a running guest."""
    tcp_host.set_auth("none")
    if request.param == "LXC":
        tcp_host.carry_containers()
    driver, machine = {"LXC": ("lxc", CONTAINER), "TEST": ("test", MACHINE)}[request.param]
    uri = f"{driver}+tcp://{tcp_host.address}/{'default' if driver == 'test' else 'system'}"
    host = Host.objects.create(name="other", uri=uri)
    HostStatus.objects.create(host=host)
    reader = Reader(host)
    handle = reader.link.call(lambda conn: conn.handle)
    if driver == "lxc":
        handle.networkLookupByName("default").create()
    handle.defineXML(machine).create()
    reader.sync()
    monkeypatch.setattr("hosts.connections.settle", lambda *_asked: True)
    yield reader
    reader.link.close()


GUESTS = {
    "autostart", "delete", "destroy", "discard", "edit", "reboot", "reset", "resume", "save", "shutdown", "start",
    "start_from_cd", "suspend",
}  # fmt: skip
NETWORKS = {"autostart", "create", "remove", "start", "stop"}
STORAGE = {
    "pool-autostart", "pool-create", "pool-remove", "pool-start", "pool-stop", "refresh",
    "volume-create", "volume-clone", "volume-delete",
}  # fmt: skip
OFFERED = (
    {f"instances:{name}" for name in GUESTS}
    | {f"storage:{name}" for name in STORAGE}
    | {f"networks:{name}" for name in NETWORKS}
)


@pytest.mark.parametrize("reader", ["TEST"], indirect=True)
def test_all_that_is_offered_works_and_what_is_lacking_is_not_offered(reader: Reader, client: Client) -> None:
    client.force_login(person("admin", is_superuser=True))
    walk = Walk(reader.host, client, reader.sync)
    walk.all()
    assert set(walk.done) == OFFERED
    assert not {"storage:upload", "console:console"} & set(walk.seen)


@pytest.mark.parametrize("reader", ["LXC"], indirect=True)
def test_a_container_is_shown_as_it_is(reader: Reader, client: Client) -> None:
    guest = Instance.objects.get(host=reader.host)
    assert (guest.name, guest.state, guest.vcpus, guest.memory_bytes) == ("t-container", "running", 1, 64 << 20)
    assert VolumeUse.objects.filter(instance_uuid=guest.uuid, path="/var/lib/libvirt").exists()
    client.force_login(person("admin", is_superuser=True))
    text = client.get(f"/instances/{guest.pk}/").content.decode()
    assert "File system /mnt" in text and "/bin/sh" in text
    for offered in ("shutdown", "destroy", "reboot"):
        assert f"/instances/{guest.pk}/{offered}/" in text
    for lacking in ("console", "media", "reset", "save", "suspend"):
        assert f"/instances/{guest.pk}/{lacking}/" not in text
    page = client.get(f"/hosts/{reader.host.pk}/").content.decode()
    for words in ("BIOS", "QEMU", "KVM"):
        assert words not in text.partition("<main")[2] and words not in page.partition("<main")[2]
    sample = reader.link.call(stats.sample)[guest.uuid]
    assert sample.cpu_time_ns is not None and sample.vcpus == 1
    assert 0 < (sample.balloon_rss_bytes or 0) < 64 << 20


@pytest.mark.parametrize("reader", ["LXC"], indirect=True)
def test_a_container_whose_program_is_no_init_shuts_down_too(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "trap 'exit 0' TERM; while :; do sleep 0.1 &amp; wait $!; done"
    machine = CONTAINER.replace(PROGRAM, program).replace("t-container", "t-program")
    reader.link.call(lambda conn: conn.handle.defineXML(machine).create())
    reader.sync()
    guest = Instance.objects.get(name="t-program")
    monkeypatch.setattr("instances.jobs.SIGNAL_AFTER", 1.0)
    task = services.shutdown(instance=guest, actor=person("admin", is_superuser=True))
    runner.run(task.pk)
    task.refresh_from_db()
    assert task.state == Task.State.SUCCEEDED, task.error


@pytest.mark.parametrize("driver", ["vbox", "xen", "nobody"])
def test_a_driver_that_is_not_installed_is_named_as_what_is_wrong(tcp_host: TcpHost, driver: str) -> None:
    tcp_host.set_auth("none")
    with pytest.raises(Unsupported) as caught:
        open_connection(Access(f"{driver}+tcp://{tcp_host.address}/system"))
    assert caught.value.detail == "libvirt answers, but has no driver for such an address."
    assert "apt-get install libvirt-daemon-driver-lxc" in caught.value.hint
