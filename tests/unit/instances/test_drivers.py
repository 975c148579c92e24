"""Hosts whose driver has less than QEMU's: what it lacks is not offered, and refused in words."""

from typing import Any

import pytest

from hosts.drivers import LACKING
from hosts.models import HostStatus
from tasks.models import Task
from tests.unit.world import World


def runs(world: World, driver: str, state: str = "running") -> None:
    HostStatus.objects.filter(host=world.host).update(driver=driver)
    world.instance.state = state
    world.instance.save()


def send(world: World, path: str, method: str = "post", **body: Any) -> Any:
    send = getattr(world.client("manager"), method)
    return send(f"/api/v1/instances/{world.instance.pk}/{path}", body, content_type="application/json")


@pytest.mark.parametrize(("driver", "verb"), [("LXC", "save"), ("LXC", "reset"), ("Xen", "reset"), ("VBOX", "save")])
def test_what_the_driver_lacks_is_neither_shown_nor_done(world: World, driver: str, verb: str) -> None:
    url = f"/instances/{world.instance.pk}/"
    runs(world, "QEMU")
    button = f'formaction="{url}{verb}/"'
    assert button in world.client("manager").get(url).content.decode()
    runs(world, driver)
    text = world.client("manager").get(url).content.decode()
    assert button not in text
    assert f'formaction="{url}shutdown/"' in text
    answer = send(world, verb)
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"libvirt's driver {driver}, which kvm-01 has, does not offer this.",
    )
    assert not Task.objects.filter(kind=f"instances.{verb}").exists()


def test_what_is_said_of_a_guest_and_its_autostart_go_the_same_way(world: World) -> None:
    url = f"/instances/{world.instance.pk}/"
    runs(world, "VBOX")
    text = world.client("manager").get(f"{url}?edit=about").content.decode()
    assert f'action="{url}autostart/"' not in text
    assert f'action="{url}edit/"' not in text
    assert send(world, "", "patch", title="x").status_code == 409
    assert send(world, "", "patch", autostart=True).status_code == 409
    runs(world, "LXC")
    assert "?edit=sda" not in world.client("manager").get(url).content.decode()
    assert send(world, "media", volume=world.iso.pk).status_code == 409


def test_guests_are_made_where_qemu_runs(world: World) -> None:
    runs(world, "LXC")
    answer = world.client("manager").post(
        "/api/v1/instances/", {"host": world.host.pk, "name": "new-1"}, content_type="application/json"
    )
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Webvirt makes guests for QEMU, and kvm-01 runs LXC."
    assert "No host takes new guests now" in world.client("manager").get("/instances/create/").content.decode()


@pytest.mark.parametrize("driver", LACKING)
def test_a_page_is_whole_whatever_the_driver(world: World, driver: str) -> None:
    runs(world, driver)
    for url in (f"/instances/{world.instance.pk}/", "/instances/", f"/hosts/{world.host.pk}/", "/instances/create/"):
        assert world.client("manager").get(url).status_code == 200
