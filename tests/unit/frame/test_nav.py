"""The side bar counts what there is, and nothing else."""

import re

import pytest

from tests.unit.world import World


@pytest.mark.parametrize("page", ["/", "/instances/{i}/", "/networks/{n}/", "/storage/{p}/", "/tasks/"])
def test_a_page_lends_it_no_numbers(world: World, page: str) -> None:
    address = page.format(i=world.instance.pk, n=world.network.pk, p=world.pool.pk)
    text = world.client("viewer").get(address).content.decode()
    nav = text[text.index('aria-label="Main"') : text.index("</nav>", text.index('aria-label="Main"'))]
    assert re.findall(r"</svg>(\w+)(?:<span[^>]*>(\d+))?", nav) == [
        ("Overview", ""), ("Instances", "1"), ("Hosts", "1"), ("Storage", "1"), ("Networks", "1"), ("Tasks", ""),
    ]  # fmt: skip
