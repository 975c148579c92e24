"""The load in the list follows the live channel."""

from instances.models import Instance
from tests.unit.world import World


def test_a_running_guests_load_and_line_name_its_figure(world: World) -> None:
    Instance.objects.update(state=Instance.State.RUNNING)
    page = world.client("viewer").get("/instances/").content.decode()
    name = f'data-figure="instance:{world.instance.pk}:cpu_percent"'
    assert page.count(name) == 2


def test_a_guest_that_is_off_has_none(world: World) -> None:
    assert "data-figure=" not in world.client("viewer").get("/instances/").content.decode()
