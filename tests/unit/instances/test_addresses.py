"""A guest's addresses, where people and programs look for them."""

import pytest

from instances.models import Instance
from tests.unit.world import World, make_instance

CARD = "52:54:00:00:00:01"


@pytest.fixture
def addressed(world: World) -> World:
    world.instance.addresses = [
        {"address": "10.0.0.7", "source": "agent", "mac": CARD},
        {"address": "2001:db8::7", "source": "agent", "mac": CARD},
    ]
    world.instance.state = Instance.State.RUNNING
    world.instance.agent = True
    world.instance.save()
    make_instance(world.host, "mail-1", Instance.State.RUNNING)
    return world


def test_the_list_shows_the_first_and_how_many_more(addressed: World) -> None:
    page = addressed.client("viewer").get("/instances/?q=web").content.decode()
    assert "10.0.0.7" in page
    assert 'title="10.0.0.7, 2001:db8::7"' in page
    assert "+1" in page


@pytest.mark.parametrize("text", ["10.0.0.7", "10.0.", "2001:DB8", ":db8::7"])
def test_a_guest_is_found_by_its_address(addressed: World, text: str) -> None:
    page = addressed.client("viewer").get("/instances/", {"q": text}).content.decode()
    assert "web-1" in page
    assert "mail-1" not in page
    found = addressed.client("viewer").get("/api/v1/instances/", {"search": text}).json()
    assert [guest["name"] for guest in found["results"]] == ["web-1"]


@pytest.mark.parametrize("text", ["agent", "address", "10.0.0.8", "52:54:00:99"])
def test_words_that_are_no_address_find_none_by_it(addressed: World, text: str) -> None:
    found = addressed.client("viewer").get("/api/v1/instances/", {"search": text}).json()
    assert found["results"] == []


def test_the_api_tells_them_in_order(addressed: World) -> None:
    guest = addressed.client("viewer").get(f"/api/v1/instances/{addressed.instance.pk}/").json()
    assert guest["addresses"] == ["10.0.0.7", "2001:db8::7"]


def test_the_page_shows_them_with_its_card_and_whether_its_agent_is_there(addressed: World) -> None:
    url = f"/instances/{addressed.instance.pk}/"
    page = addressed.client("viewer").get(url).content.decode()
    assert "default, 10.0.0.7, 2001:db8::7" in page
    assert "Guest agent" in page
    Instance.objects.filter(pk=addressed.instance.pk).update(agent=None, addresses=[])
    page = addressed.client("viewer").get(url).content.decode()
    assert "Guest agent" not in page
    assert "10.0.0.7" not in page
