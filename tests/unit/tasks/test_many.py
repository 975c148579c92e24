"""What a page asks of tasks costs the same when there are very many."""

from django.utils import timezone

from instances.context import Frame
from tasks.models import Task
from tests.unit.world import World


def test_the_last_task_is_found_without_sorting_all_that_somebody_may_see(world: World) -> None:
    for user in (world.admin, world.operator, world.viewer):
        ended = Task.objects.visible_to(user).filter(ended_at__isnull=False).order_by("-ended_at")[:1]
        plan = ended.explain()
        assert "tasks_task_ended" in plan
        assert "B-TREE" not in plan


def test_the_last_task_is_that_which_ended_last(world: World) -> None:
    Task.objects.filter(state=Task.State.SUCCEEDED).update(ended_at=timezone.now())
    task = Task.objects.get(state=Task.State.SUCCEEDED)
    assert [Frame(user).last_task for user in (world.admin, world.viewer, world.stranger)] == [task, task, None]
