"""The strip of tasks under every page says how many run, and offers to cancel to whoever may."""

from tasks.models import Task
from tests.unit.world import World, make_task


def strip(world: World, name: str) -> str:
    return world.client(name).get("/tasks/?block=strip").content.decode()


def test_it_counts_all_that_run_and_shows_the_newest(world: World) -> None:
    tasks = [make_task(world.operator, world.instance, state=Task.State.RUNNING) for _number in range(7)]
    page = strip(world, "viewer")
    assert "7 running tasks" in page
    assert "and 2 more" in page
    assert f'id="job-{tasks[-1].pk}"' in page
    assert f'id="job-{tasks[0].pk}"' not in page
    assert "No running tasks" in strip(world, "stranger")


def test_only_who_may_is_offered_to_cancel(world: World) -> None:
    task = make_task(world.manager, world.instance, state=Task.State.RUNNING)
    asked = make_task(world.manager, world.instance, state=Task.State.RUNNING, cancel_asked=True)
    for name, offered in (("viewer", False), ("operator", True), ("manager", True), ("admin", True)):
        page = strip(world, name)
        assert (f"/tasks/{task.pk}/cancel/" in page) is offered
        assert f"/tasks/{asked.pk}/cancel/" not in page
