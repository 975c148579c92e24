"""What the drivers of hosts lack: known in one table, offered nowhere, and refused before there is a task."""

from base64 import b64encode
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils.module_loading import autodiscover_modules

from hosts.drivers import CONSOLE, LACKING, offers
from hosts.models import Host, HostStatus
from instances.models import Instance
from tasks.models import Task
from tasks.registry import JOBS, QUESTIONS
from tests.offered import Walk
from tests.unit.world import GIB, World

MEMORY = "kvm-01 is made anew in each program that opens it, so that no change of it would last."
API = "/api/v1/"


def runs(world: World, driver: str, uri: str = "qemu:///system") -> None:
    Host.objects.filter(pk=world.host.pk).update(uri=uri)
    HostStatus.objects.filter(host=world.host).update(driver=driver)
    world.host.refresh_from_db()
    Instance.objects.update(state="running")


def text_of(world: World, url: str, name: str = "manager") -> str:
    answer = world.client(name).get(url)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def send(world: World, method: str, path: str, body: Any = None) -> Any:
    client = Client(headers={"Authorization": f"Bearer {world.token('admin')}"})
    return getattr(client, method)(f"{API}{path}", body, content_type="application/json")


def test_what_stands_in_the_table_is_something_that_can_be_asked_for() -> None:
    autodiscover_modules("jobs")
    known = {*JOBS, *QUESTIONS, CONSOLE}
    assert {kind for kinds in LACKING.values() for kind in kinds} <= known


def test_volumes_of_the_test_driver_neither_grow_nor_come_nor_go(world: World) -> None:
    url = f"/storage/{world.pool.pk}/"
    offered = (f"{url}upload/", f"volumes/{world.volume.pk}/grow/", f"volumes/{world.volume.pk}/download/")
    assert all(place in text_of(world, url) for place in offered)
    assert "Upload to default" in text_of(world, "/search/?q=upload")
    runs(world, "TEST", "test+unix:///default")
    text = text_of(world, url)
    assert not any(place in text for place in offered)
    for place in ("Drop file", 'id="chooser"', "upload.js", "Create an instance from it"):
        assert place not in text
    for place in ("clone", "delete"):
        assert f"/storage/volumes/{world.volume.pk}/{place}/" in text
    assert "New volume" in text
    assert "Upload to default" not in text_of(world, "/search/?q=upload")
    assert world.client("manager").get(f"{url}upload/").status_code == 409


def test_what_is_lacking_is_refused_in_words(world: World) -> None:
    runs(world, "TEST", "test+unix:///default")
    words = "libvirt's driver TEST, which kvm-01 has, does not offer this."
    for path, body in (
        (f"volumes/{world.volume.pk}/resize", {"size_bytes": 20 * GIB}),
        (f"volumes/{world.iso.pk}/download", None),
        (f"instances/{world.instance.pk}/media", {"volume": None}),
        (f"instances/{world.instance.pk}/console", None),
    ):
        answer = send(world, "post", path, body)
        assert (answer.status_code, answer.json()["detail"]) == (409, words)
    client = Client(headers={"Authorization": f"Bearer {world.token('admin')}"})
    metadata = f"pool {b64encode(str(world.pool.pk).encode()).decode()},filename eA=="
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": metadata}
    answer = client.post(f"{API}uploads/", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (409, words)
    assert not Task.objects.exclude(pk=world.task.pk).exists()


@pytest.mark.parametrize(
    ("driver", "uri", "offered"),
    [
        ("QEMU", "qemu:///system", True),
        ("QEMU", "qemu+ssh://root@h/system", True),
        ("Xen", "xen+ssh://root@h/system", True),
        ("Xen", "xen:///system", False),  # only QEMU's driver hands a display over
        ("VBOX", "vbox:///system", False),
        ("LXC", "lxc+ssh://root@h/system", False),
        ("TEST", "test+tcp://h/default", False),
    ],
)
def test_a_console_is_offered_where_there_is_a_way_to_the_display(
    world: World, redis_server: redis.Redis, driver: str, uri: str, offered: bool
) -> None:
    runs(world, driver, uri)
    place = f"/instances/{world.instance.pk}/console/"
    for url in (f"/instances/{world.instance.pk}/", "/instances/", "/search/?q=console"):
        assert (place in text_of(world, url)) is offered, url
    assert (send(world, "post", f"instances/{world.instance.pk}/console").status_code == 200) is offered


@pytest.mark.parametrize("driver", ["LXC", "Xen"])
def test_no_picture_is_shown_where_the_driver_takes_none(world: World, driver: str) -> None:
    runs(world, driver, f"{driver.lower()}+ssh://root@h/system")
    for url in (f"/instances/{world.instance.pk}/", "/instances/"):
        assert "/screenshot" not in text_of(world, url)
    assert send(world, "get", f"instances/{world.instance.pk}/screenshot").status_code == 409


def test_nothing_is_offered_on_a_host_that_each_program_makes_anew(world: World, client: Client) -> None:
    client.force_login(world.admin)
    walk = Walk(world.host, client, lambda: None)
    assert {"instances:start", "storage:volume-clone", "networks:stop"} <= set(walk.offered())
    runs(world, "TEST", "test:///default")
    # The other host is what these lead to.
    assert set(walk.offered()) == {"networks:create", "storage:pool-create"}
    for method, path, body in (
        ("post", f"instances/{world.instance.pk}/destroy", None),
        ("delete", f"instances/{world.instance.pk}/", None),
        ("post", f"pools/{world.pool.pk}/refresh", None),
        ("delete", f"volumes/{world.iso.pk}/", None),
        ("post", f"networks/{world.network.pk}/stop", None),
        ("post", "pools/", {"host": world.host.pk, "name": "new", "path": "/new"}),
        ("post", "networks/", {"host": world.host.pk, "name": "new", "mode": "isolated"}),
    ):
        answer = send(world, method, path, body)
        assert (answer.status_code, answer.json()["detail"]) == (409, MEMORY), path
    assert not Task.objects.exclude(pk=world.task.pk).exists()
    assert "test+unix:///default" in text_of(world, f"/hosts/{world.host.pk}/")


@pytest.mark.parametrize(("driver", "uri"), [("VBOX", "vbox:///session"), ("TEST", "test:///default")])
def test_pools_and_networks_are_made_where_they_can_be(world: World, driver: str, uri: str) -> None:
    runs(world, driver, uri)
    for url in ("/storage/create/", "/networks/create/"):
        choices = text_of(world, url, "admin").partition('name="host"')[2].partition("</select>")[0]
        assert ("kvm-02" in choices, "kvm-01" in choices) == (True, False), url


def test_nothing_of_qemu_is_said_of_a_host_that_has_none(world: World) -> None:
    urls = f"/hosts/{world.host.pk}/", f"/instances/{world.instance.pk}/"
    for words, url in (("Acceleration", urls[0]), ("Firmware", urls[1])):
        assert words in text_of(world, url)
    runs(world, "LXC", "lxc:///system")
    for words in ("Acceleration", "QEMU", "Firmware", "BIOS", "test+unix"):
        assert not any(words in text_of(world, url).partition("<main")[2] for url in urls), words


def test_a_driver_that_nobody_knows_is_taken_to_have_what_qemu_has(world: World) -> None:
    runs(world, "bhyve", "bhyve+ssh://root@h/system")
    assert offers(Host.objects.get(pk=world.host.pk), "instances.save")
