"""Whose names in the list show the guest's screen."""

import pytest

from instances.models import Instance
from tests.unit.world import World


@pytest.mark.parametrize(("who", "shown"), [("operator", True), ("viewer", False)])
def test_a_screen_is_for_who_may_open_the_console(world: World, who: str, shown: bool) -> None:
    Instance.objects.update(state=Instance.State.RUNNING)
    page = world.client(who).get("/instances/").content.decode()
    assert (f'data-peek="/api/v1/instances/{world.instance.pk}/screenshot"' in page) is shown


def test_a_guest_that_is_off_has_none(world: World) -> None:
    assert "data-peek=" not in world.client("operator").get("/instances/").content.decode()


def test_a_silent_host_is_not_asked(world: World) -> None:
    Instance.objects.update(state=Instance.State.RUNNING)
    world.host_is_down()
    assert "data-peek=" not in world.client("operator").get("/instances/").content.decode()
