"""The pages of networks: who sees what, and at what price."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Grant, Role
from networks.models import Attachment, Lease, Network
from tests.unit.world import World, grant, make_instance


def page(world: World, name: str, path: str) -> str:
    answer = world.client(name).get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def attach(world: World, name: str = "web-1", mac: str = "52:54:00:00:00:01") -> None:
    instance = world.instance if name == "web-1" else make_instance(world.host, name)
    Attachment.objects.create(
        host=world.host, network_name="default", mac=mac, instance_uuid=instance.uuid, instance_name=name
    )


def test_it_hides_networks_from_strangers(world: World) -> None:
    assert "virbr0" not in page(world, "stranger", "/networks/")
    assert world.client("stranger").get(f"/networks/{world.network.pk}/").status_code == 404
    assert world.client("anonymous").get("/networks/").status_code == 302


def test_the_list_tells_what_a_network_is(world: World) -> None:
    attach(world)
    shown = page(world, "viewer", "/networks/")
    for words in ("virbr0", "NAT", "192.168.122.1/24", "192.168.122.2 – 192.168.122.254", "Active", "kvm-01"):
        assert words in shown


def test_a_network_whose_daemon_is_away_is_shown_as_last_known_and_says_why(world: World) -> None:
    world.part_is_away("virtnetworkd")
    for url in (f"/networks/{world.network.pk}/", f"/networks/{world.network.pk}/?block=away"):
        assert "virtnetworkd does not run on the host." in page(world, "manager", url)
    assert "not heard since" in page(world, "viewer", "/networks/")
    assert f"/networks/{world.network.pk}/stop/" not in page(world, "manager", f"/networks/{world.network.pk}/")


def test_it_filters_and_sorts(world: World) -> None:
    Network.objects.create(host=world.other_host, uuid=uuid.uuid4(), name="alpha", bridge="br9")
    assert "alpha" in page(world, "admin", "/networks/?q=br9")
    assert "alpha" not in page(world, "admin", f"/networks/?host={world.host.pk}")
    for sort in ("name", "-name", "host", "-state", "state", "mode", "-bridge", "nonsense"):
        assert "alpha" in page(world, "admin", f"/networks/?sort={sort}")
    backwards = page(world, "admin", "/networks/?sort=-name&block=rows")
    assert backwards.index("default") < backwards.index("alpha")


def test_a_networks_page_draws_its_ties_and_names_its_guests(world: World) -> None:
    attach(world)
    shown = page(world, "viewer", f"/networks/{world.network.pk}/")
    assert f'href="/instances/{world.instance.pk}/" title="web-1">web-1</a>' in shown
    assert "52:54:00:00:00:01" in shown
    assert "Uplink" in shown
    Network.objects.update(forward="")
    assert "Isolated" in page(world, "viewer", f"/networks/{world.network.pk}/?block=drawing")


def test_it_does_not_name_guests_to_whom_only_the_network_was_granted(world: World) -> None:
    attach(world)
    Lease.objects.create(network=world.network, mac="52:54:00:00:00:01", address="192.168.122.20", hostname="web-host")
    grant(world.stranger, Role.VIEWER, Grant.Scope.NETWORK, world.host, world.network.uuid)
    shown = page(world, "stranger", f"/networks/{world.network.pk}/")
    assert "web-1" not in shown
    assert "52:54:00:00:00:01" not in shown
    assert "web-host" not in shown
    assert "1 card of a guest that you may not see" in shown
    assert "1 address of a guest that you may not see" in shown


@pytest.mark.parametrize("verb", ["stop", "remove"])
def test_asking_before_a_change_says_where_one_is(world: World, verb: str) -> None:
    shown = page(world, "manager", f"/networks/{world.network.pk}/{verb}/")
    crumbs = re.sub(r"<[^>]*>", "", shown[shown.index('class="crumbs') :].partition("</nav>")[0])
    assert crumbs.split(">")[-1].split() == f"Networks / default on kvm-01 / {verb.title()} default".split()


def populate(world: World, count: int) -> None:
    for number in range(count):
        attach(world, f"guest-{count}-{number}", f"52:54:00:00:{count:02}:{number:02}")
        Network.objects.create(host=world.host, uuid=uuid.uuid4(), name=f"n-{count}-{number}")
        Lease.objects.create(
            network=world.network, mac=f"52:54:00:00:{count:02}:{number:02}", address=f"10.{count}.0.{number}"
        )


@pytest.mark.parametrize("name", ["viewer", "admin"])
def test_a_page_costs_the_same_with_five_rows_and_fifty(world: World, name: str) -> None:
    client = world.client(name)

    def prices() -> list[int]:
        found = []
        for url in ("/networks/", f"/networks/{world.network.pk}/"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            found.append(len(queries))
        return found

    populate(world, 5)
    five = prices()
    populate(world, 50)
    assert prices() == five
    assert max(five) <= 30
