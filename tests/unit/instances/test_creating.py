"""A new guest, asked for on the page: defaults, what is refused and at which field, and who may."""

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Grant, Role
from hosts.models import Host, HostStatus
from instances.models import Instance
from instances.names import MOST_BYTES, made_for, validate_name, volume_name
from networks.models import Network
from storage.models import Pool, Volume
from tasks.models import Task
from tasks.runner import words_of
from tests.unit.world import GIB, World, grant, make_instance
from virt.errors import TimedOut


def form_of(world: World, **more: Any) -> dict[str, Any]:
    return {
        "idempotency_key": uuid.uuid4().hex, "source": "iso", "cdrom": world.iso.pk, "name": "web-8", "host": "",
        "vcpus": "2", "memory_gib": "2", "firmware": "bios", "machine": "", "virt_type": "", "video": "vga",
        "disks-TOTAL_FORMS": "1", "disks-INITIAL_FORMS": "1", "disks-0-size_gib": "20", "disks-0-pool": world.pool.pk,
        "disks-0-format": "qcow2", "disks-0-bus": "virtio",
        "cards-TOTAL_FORMS": "1", "cards-INITIAL_FORMS": "1", "cards-0-network": world.network.pk,
        "cards-0-model": "virtio", "start": "on", **more,
    }  # fmt: skip


def post(client: Client, data: dict[str, Any]) -> Any:
    return client.post("/instances/create/", data)


def created(world: World) -> Task:
    return Task.objects.get(kind="instances.create")


def refused(world: World, words: str, **more: Any) -> None:
    answer = post(world.client("manager"), form_of(world, **more))
    assert answer.status_code == 200
    assert words in answer.content.decode(), answer.content.decode()
    assert not Task.objects.filter(kind="instances.create", object_name="web-8", state="queued").exists()


def test_the_page_begins_with_everything_chosen_but_the_name(world: World) -> None:
    page = world.client("manager").get("/instances/create/").content.decode()
    for field in (f'value="{world.iso.pk}"', 'name="disks-0-size_gib"', 'value="20"', 'name="cards-0-network"'):
        assert field in page
    assert "QEMU&#x27;s own emulation is chosen." in page


def test_a_name_and_an_image_are_enough(world: World) -> None:
    answer = post(world.client("manager"), form_of(world))
    task = created(world)
    assert answer.url == f"/tasks/{task.pk}/?then=console"
    assert (task.object_name, task.host_id) == ("web-8", world.host.pk)
    assert task.arguments["disks"] == [
        {"existing": False, "pool": str(world.pool.uuid), "pool_name": "default", "volume": "web-8.qcow2",
         "size_bytes": 20 * GIB, "format": "qcow2", "bus": "virtio"}
    ]  # fmt: skip
    assert task.arguments["cdrom"] == {"pool": str(world.pool.uuid), "volume": "boot.iso"}
    assert task.arguments["networks"][0]["network"] == "default"
    assert task.arguments["start"] is True


def test_without_start_the_browser_waits_at_the_task(world: World) -> None:
    form = form_of(world)
    del form["start"]
    assert post(world.client("manager"), form).url == f"/tasks/{created(world).pk}/"


def test_an_image_comes_chosen_from_where_it_was_uploaded(world: World) -> None:
    other = Volume.objects.create(pool=world.pool, name="zz.iso", path="/pool/zz.iso", format="iso")
    page = world.client("manager").get(f"/instances/create/?cdrom={other.pk}").content.decode()
    assert f'value="{other.pk}" data-host="{world.host.pk}" data-name="zz.iso" selected' in page


def test_an_empty_disk_needs_no_image(world: World) -> None:
    post(world.client("manager"), form_of(world, source="empty", cdrom=""))
    assert created(world).arguments["cdrom"] is None


def test_disks_and_cards_that_were_removed_are_not_made(world: World) -> None:
    post(world.client("manager"), form_of(world, **{"disks-0-DELETE": "on", "cards-0-DELETE": "on"}))
    assert created(world).arguments["disks"] == created(world).arguments["networks"] == []


def test_a_second_disk_is_numbered(world: World) -> None:
    more = {"disks-TOTAL_FORMS": "2", "disks-1-size_gib": "1.5", "disks-1-pool": world.pool.pk,
            "disks-1-format": "raw", "disks-1-bus": "scsi"}  # fmt: skip
    post(world.client("manager"), form_of(world, **more))
    disk = created(world).arguments["disks"][1]
    assert (disk["volume"], disk["size_bytes"]) == ("web-8-2.raw", GIB * 3 // 2)


def test_the_same_key_is_one_guest(world: World) -> None:
    form = form_of(world)
    client = world.client("manager")
    assert post(client, form).url == post(client, form).url
    assert post(client, {**form, "memory_gib": "3"}).status_code == 422


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/b", "cannot contain"),
        ("../x", "cannot contain"),
        (".x", "begin with a dot"),
        ("x" * 201, "too long"),
        ("名" * 100, "too long"),
        ("a\x00b", "Null characters"),
        ("a\tb", "invisible"),
        ("   ", "required"),
        ("", "required"),
    ],
)
def test_a_bad_name_is_refused_in_words(world: World, name: str, words: str) -> None:
    refused(world, words, name=name)


def test_a_chinese_name_is_fine(world: World) -> None:
    post(world.client("manager"), form_of(world, name="网站 一"))
    assert created(world).object_name == "网站 一"


def test_a_taken_name_is_refused(world: World) -> None:
    refused(world, "has a guest of this name already", name="web-1")


def test_a_name_being_created_is_refused(world: World) -> None:
    client = world.client("manager")
    post(client, form_of(world))
    assert "is being created" in post(client, form_of(world)).content.decode()


def test_a_volume_in_the_way_is_refused(world: World) -> None:
    Volume.objects.create(pool=world.pool, name="web-8.qcow2", path="/pool/web-8.qcow2")
    refused(world, "has a volume web-8.qcow2 already")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("memory_gib", "17", "has 16.0 GiB of memory"),
        ("memory_gib", "0.01", "needs at least 16 MiB"),
        ("memory_gib", "x", "Enter a number"),
        ("memory_gib", "1e30", "less than"),
        ("memory_gib", "nan", "Enter a number"),
        ("vcpus", "0", "greater than or equal"),
        ("vcpus", "256", "from 1 to 255"),
        ("disks-0-size_gib", "91", "90.0 GiB free"),
        ("disks-0-size_gib", "0", "greater than or equal"),
        ("firmware", "uefi", "no UEFI"),
        ("cdrom", "", "Choose an image"),
        ("cdrom", "999", "not there any more"),
        ("video", "nonsense", "Choose one of"),
        ("virt_type", "xen", "Choose one of"),
    ],
)
def test_what_the_host_cannot_give_is_refused_at_its_field(world: World, field: str, value: str, words: str) -> None:
    refused(world, words, **{field: value})


def test_two_disks_may_not_need_more_than_the_pool_has(world: World) -> None:
    more = {"disks-TOTAL_FORMS": "2", "disks-0-size_gib": "50", "disks-1-size_gib": "50", "disks-1-pool": world.pool.pk,
            "disks-1-format": "qcow2", "disks-1-bus": "virtio"}  # fmt: skip
    refused(world, "90.0 GiB free", **more)


def test_what_lies_on_another_host_is_refused(world: World) -> None:
    far = Pool.objects.create(
        host=world.other_host, uuid=uuid.uuid4(), name="far", type="dir", state="active", available_bytes=GIB * 90
    )
    image = Volume.objects.create(pool=far, name="far.iso", path="/far.iso", format="iso")
    net = Network.objects.create(host=world.other_host, uuid=uuid.uuid4(), name="far", active=True)
    for more in ({"disks-0-pool": far.pk}, {"cdrom": image.pk}, {"cards-0-network": net.pk}):
        form = form_of(world, host=world.host.pk, **more)
        assert "is on another host" in post(world.client("admin"), form).content.decode()


def test_a_network_that_was_stopped_meanwhile_is_told_before_the_guest_goes_without(world: World) -> None:
    Network.objects.update(active=False)
    client = world.client("manager")
    assert "would get no network card" in post(client, form_of(world)).content.decode()
    assert post(client, form_of(world, **{"cards-TOTAL_FORMS": "0"})).status_code == 302
    assert created(world).arguments["networks"] == []


def test_one_network_of_several_that_was_stopped_is_told_at_its_card(world: World) -> None:
    Network.objects.create(host=world.host, uuid=uuid.uuid4(), name="lan", active=True)
    Network.objects.filter(pk=world.network.pk).update(active=False)
    refused(world, "This network is not active any more")


@pytest.mark.parametrize(("name", "status"), [("operator", 403), ("viewer", 403), ("stranger", 403), ("manager", 200)])
def test_creating_is_for_managers_of_a_host(world: World, name: str, status: int) -> None:
    assert world.client(name).get("/instances/create/").status_code == status
    if status == 403:
        assert post(world.client(name), form_of(world)).status_code == 403


def test_a_pool_of_somebody_else_cannot_be_used(world: World) -> None:
    Grant.objects.filter(user=world.manager).delete()
    grant(world.manager, Role.MANAGER, Grant.Scope.HOST, world.other_host)
    answer = post(world.client("manager"), form_of(world, source="empty"))
    assert "would get no disk" in answer.content.decode()


def test_a_host_that_went_away_meanwhile_is_refused_with_its_reason(world: World) -> None:
    grant(world.manager, Role.MANAGER, Grant.Scope.HOST, world.other_host)
    HostStatus.objects.filter(host=world.host).update(state=HostStatus.State.DOWN, error=words_of(TimedOut()))
    page = world.client("manager").get(f"/instances/create/?host={world.host.pk}").content.decode()
    assert "<option disabled>kvm-01, not connected</option>" in page
    refused(world, "kvm-01 cannot be asked for anything now: it is not connected. The host gave", host=world.host.pk)
    HostStatus.objects.update(state=HostStatus.State.UP)
    Host.objects.filter(pk=world.host.pk).update(maintenance=True)
    refused(world, "kvm-01 is in maintenance and takes no new guests.", host=world.host.pk)


def test_hosts_that_are_down_are_not_offered(world: World) -> None:
    HostStatus.objects.update(state=HostStatus.State.DOWN)
    assert "No host is connected" in world.client("manager").get("/instances/create/").content.decode()


def test_the_best_host_has_most_memory_left(world: World) -> None:
    for number in range(3):
        make_instance(world.host, f"busy-{number}", Instance.State.RUNNING)
    page = world.client("admin").get("/instances/create/").content.decode()
    assert "Best: kvm-02, most free memory" in page


@given(st.text(max_size=400))
def test_a_name_that_passes_is_one_that_hosts_can_keep(name: str) -> None:
    try:
        validate_name(name)
    except ValidationError as error:
        assert error.messages
        return
    file = volume_name(name, 2, "qcow2")
    assert len(file.encode()) <= 255
    assert len(name.encode()) <= MOST_BYTES
    assert not {"/", "\0", "\n"} & set(file)
    assert file not in (".", "..") and not file.startswith(".")
    assert made_for(name, file)


@pytest.mark.parametrize("name", ["数据库主节点", "生产数据库服务器主一号", "customer-acme-production-replica-02-" * 3])
def test_a_name_that_a_guest_can_start_with_is_taken(name: str) -> None:
    validate_name(name)


def test_a_name_that_no_guest_could_start_with_is_refused_before_it_is_made(world: World) -> None:
    """libvirt makes a socket that is called after its first characters, and fails at each start where they are long."""
    answer = post(world.client("admin"), form_of(world, name="生产环境数据库服务器主节点一号"))
    assert "Say the rest in the title" in answer.content.decode()
