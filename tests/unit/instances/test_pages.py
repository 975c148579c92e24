"""The pages of guests, as people of every role meet them."""

import re

import pytest

from instances.models import Instance
from tests.unit.world import World


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def row_of(world: World, name: str, guest: Instance) -> str:
    page = world.client(name).get(f"/instances/?ids={guest.pk}", headers={"X-Webvirt-Live": "rows"})
    assert page.status_code == 200
    return page.content.decode()


@pytest.mark.parametrize(
    "path", ["/", "/instances/", "/instances/{pk}/", "/instances/create/", "/instances/{pk}/delete/"]
)
def test_a_manager_sees_every_page(world: World, path: str) -> None:
    page = world.client("manager").get(path.format(pk=world.instance.pk))
    assert page.status_code == 200
