"""The side bar counts what there is, and nothing else."""

import re
import uuid

import pytest

from accounts.models import Grant, Role
from tests.unit.world import World, grant


@pytest.mark.parametrize("page", ["/", "/instances/{i}/", "/networks/{n}/", "/storage/{p}/", "/tasks/"])
def test_a_page_lends_it_no_numbers(world: World, page: str) -> None:
    address = page.format(i=world.instance.pk, n=world.network.pk, p=world.pool.pk)
    text = world.client("viewer").get(address).content.decode()
    nav = text[text.index('aria-label="Main"') : text.index("</nav>", text.index('aria-label="Main"'))]
    assert re.findall(r"</svg>(\w+)(?:<span[^>]*>(\d+))?", nav) == [
        ("Overview", ""), ("Instances", "1"), ("Hosts", "1"), ("Storage", "1"), ("Networks", "1"), ("Tasks", ""),
    ]  # fmt: skip


def counts(world: World, name: str) -> list[str]:
    return re.findall(r'num n">(\d+)<', world.client(name).get("/?block=nav").content.decode())


def test_what_is_granted_and_taken_back_counts_at_once(world: World) -> None:
    assert counts(world, "stranger") == ["0", "0", "0", "0"]
    grant(world.stranger, Role.VIEWER, Grant.Scope.INSTANCE, world.host, world.instance.uuid)
    assert counts(world, "stranger") == ["1", "1", "0", "0"]
    Grant.objects.filter(user=world.stranger).update(object_uuid=uuid.uuid4())
    assert counts(world, "stranger") == ["0", "1", "0", "0"], "it is another guest that is granted now"
    grant(world.stranger, Role.VIEWER, Grant.Scope.EVERYTHING)
    assert counts(world, "stranger") == counts(world, "admin") != ["0", "1", "0", "0"]
    Grant.objects.filter(user=world.stranger).delete()
    assert counts(world, "stranger") == ["0", "0", "0", "0"]


def test_one_grant_for_each_of_two_people_is_not_mixed_up(world: World) -> None:
    grant(world.stranger, Role.VIEWER, Grant.Scope.INSTANCE, world.host, world.instance.uuid)
    Grant.objects.filter(user=world.viewer).delete()
    grant(world.viewer, Role.VIEWER, Grant.Scope.INSTANCE, world.host, uuid.uuid4())
    assert counts(world, "stranger") == ["1", "1", "0", "0"]
    assert counts(world, "viewer") == ["0", "1", "0", "0"]
