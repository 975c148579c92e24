"""A task's life: claimed once, done, undone where it failed, and ended in words."""

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import OperationalError
from django.utils import timezone, translation
from django.utils.translation import gettext

from tasks import runner, services, sweep
from tasks.context import Context
from tasks.errors import Cancelled, JobFailed, OtherRequest, Refused
from tasks.models import Task
from tasks.registry import JOBS, job
from tests.unit.world import World, make_task
from tests.waiting import wait_for
from virt.errors import NotFound, Unreachable

undone: list[dict[str, str]] = []


@pytest.fixture(autouse=True)
def _redis(redis_server: redis.Redis) -> Iterator[None]:
    before = dict(JOBS)
    undone.clear()
    yield
    JOBS.clear()
    JOBS.update(before)


def declare(function: Any, kind: str = "tests.do") -> None:
    def undo(context: Context) -> None:
        undone.extend(context.task.made)
        for entry in list(context.task.made):
            context.unmake(**entry)

    job(kind, undo=undo)(function)


def queued(world: World, **fields: Any) -> Task:
    return make_task(world.operator, world.instance, **{"kind": "tests.do", **fields})


def done(task: Task) -> Task:
    runner.run(task.pk)
    task.refresh_from_db()
    return task


def test_it_does_the_job_and_says_so(world: World) -> None:
    def work(context: Context) -> dict[str, str]:
        context.progress(40, "halfway", now=True)
        context.say("A line.")
        return {"name": context.ref.name}

    declare(work)
    task = done(queued(world))
    assert (task.state, task.progress, task.result, task.error) == ("succeeded", 100, {"name": "web-1"}, None)
    assert task.started_at <= task.ended_at
    assert [line.text for line in task.log.all()] == ["A line."]


def test_its_log_is_in_the_language_of_whoever_asked(world: World) -> None:
    declare(lambda context: context.say(gettext("The name is taken")))
    with translation.override("zh-hans"):
        task = services.ask_for("tests.do", actor=world.operator, target=world.instance.ref, host_name="kvm-01")
    for asked, words in ((task, "名称已被占用"), (queued(world), "The name is taken")):
        assert [line.text for line in done(asked).log.all()] == [words]


@pytest.mark.parametrize("failure", [NotFound(), JobFailed("T", "There is no %(what)s.", params={"what": "room"})])
def test_a_failure_is_told_in_words_after_what_was_half_made_is_removed(world: World, failure: Exception) -> None:
    def work(context: Context) -> None:
        context.make(volume="half")
        raise failure

    declare(work)
    task = done(queued(world))
    assert task.state == "failed"
    assert undone == [{"volume": "half"}]
    assert task.made == []
    assert task.error_words is not None
    assert task.error_words["detail"]


def test_a_fault_of_our_own_has_a_reference_and_tells_no_secrets(world: World, caplog: Any) -> None:
    def work(context: Context) -> None:
        context.make(volume="half")
        raise ZeroDivisionError("secret words")

    declare(work)
    task = done(queued(world))
    assert task.state == "failed"
    assert undone == [{"volume": "half"}]
    assert "secret" not in str(task.error)
    assert task.error["params"]["reference"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_kind_that_no_program_knows_fails_as_our_own_fault(world: World) -> None:
    assert done(queued(world, kind="tests.unknown")).error["code"] == "own_fault"


def test_what_cannot_be_undone_is_said_in_the_log(world: World) -> None:
    def work(context: Context) -> None:
        context.make(volume="half")
        raise NotFound

    def undo(context: Context) -> None:
        raise ZeroDivisionError

    job("tests.do", undo=undo)(work)
    task = done(queued(world))
    assert task.state == "failed"
    assert task.log.count() == 1


def test_a_queued_task_is_cancelled_at_once_and_never_done(world: World) -> None:
    declare(lambda context: pytest.fail("it was done"))
    task = queued(world)
    services.cancel(task=task, actor=world.operator)
    assert done(task).state == "cancelled"
    with pytest.raises(Refused):
        services.cancel(task=task, actor=world.operator)


def test_a_running_task_hears_of_its_cancelling_and_is_undone(world: World) -> None:
    def work(context: Context) -> None:
        context.make(volume="half")
        services.cancel(task=Task.objects.get(pk=context.task.pk), actor=world.operator)
        wait_for(context.cancelled, 3)
        context.check()

    declare(work)
    task = done(queued(world))
    assert (task.state, task.error) == ("cancelled", None)
    assert undone == [{"volume": "half"}]


def test_changes_of_one_object_wait_in_order_of_age(world: World) -> None:
    declare(lambda context: None)
    older, younger, other, free = (queued(world, lock_key=key) for key in ("a", "a", "b", ""))
    assert runner.claim(younger.pk, "w") is None
    assert runner.claim(older.pk, "w") is not None
    assert runner.claim(younger.pk, "w") is None, "one runs with that lock"
    assert runner.claim(other.pk, "w") is not None
    assert runner.claim(free.pk, "w") is not None
    assert runner.claim(free.pk, "w") is None, "a bell that rings twice is heard once"


def test_the_end_of_a_task_rings_for_the_next_of_its_lock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(lambda context: None)
    first, second, _third = (queued(world, lock_key="a") for _ in range(3))
    rung: list[int] = []
    monkeypatch.setattr(runner, "ring", lambda pk, queue, limit: rung.append(pk))
    done(first)
    assert rung == [second.pk]


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that is missing is lost at once."""
    monkeypatch.setattr(sweep, "LEASE_SECONDS", 0)


@pytest.mark.usefixtures("no_grace")
def test_a_task_whose_worker_died_is_undone_and_ends_as_interrupted(world: World) -> None:
    declare(lambda context: None)
    task = queued(world, made=[{"volume": "half"}])
    assert runner.claim(task.pk, "dead") is not None
    assert sweep.end_abandoned() == 1
    task.refresh_from_db()
    assert task.state == "interrupted"
    assert undone == [{"volume": "half"}]
    assert task.error_words is not None


@pytest.mark.usefixtures("no_grace")
def test_a_task_whose_worker_died_after_its_cancelling_ends_as_cancelled(world: World) -> None:
    declare(lambda context: None)
    task = queued(world)
    runner.claim(task.pk, "dead")
    services.cancel(task=task, actor=world.operator)
    sweep.end_abandoned()
    task.refresh_from_db()
    assert (task.state, task.error) == ("cancelled", None)


@pytest.mark.usefixtures("no_grace")
def test_a_task_whose_worker_died_after_its_work_was_done_succeeded(world: World) -> None:
    declare(lambda context: None)
    task = queued(world, made=[{"volume": "whole"}], language="zh-hans")
    claimed = runner.claim(task.pk, "dead")
    assert claimed is not None
    Context(claimed, threading.Event()).done({"volume": "whole"})
    assert sweep.end_abandoned() == 1
    task.refresh_from_db()
    assert (task.state, task.result, task.error) == ("succeeded", {"volume": "whole"}, None)
    assert undone == []
    assert "工作进程在更改完成后结束" in task.log.get().text, "the language of whoever asked"


def test_what_goes_wrong_after_the_work_does_not_unmake_it(world: World) -> None:
    def work(context: Context) -> None:
        context.make(volume="whole")
        context.done({"volume": "whole"})
        raise Cancelled

    declare(work)
    task = done(queued(world))
    assert (task.state, task.result, task.error) == ("succeeded", {"volume": "whole"}, None)
    assert undone == []


def test_what_could_not_be_removed_is_tried_again(world: World) -> None:
    away = [True]

    def work(context: Context) -> None:
        context.make(volume="half")
        raise NotFound

    def undo(context: Context) -> None:
        if away[0]:
            raise Unreachable
        undone.extend(context.task.made)

    job("tests.do", undo=undo)(work)
    task = done(queued(world))
    assert (task.state, task.made) == ("failed", [{"volume": "half"}])
    away[0] = False
    assert sweep.undo_again() == 1
    task.refresh_from_db()
    assert (undone, task.made) == ([{"volume": "half"}], [])
    assert sweep.undo_again() == 0


@pytest.mark.usefixtures("no_grace")
def test_a_task_that_somebody_holds_is_left_alone(world: World) -> None:
    task = queued(world)
    runner.claim(task.pk, "alive")
    with runner.Lease(task.pk, "alive"):
        assert sweep.end_abandoned() == 0
    task.refresh_from_db()
    assert task.state == "running"


def test_a_worker_that_lost_its_task_does_not_write_its_end(world: World) -> None:
    task = queued(world)
    claimed = runner.claim(task.pk, "slow")
    assert claimed is not None
    Task.objects.filter(pk=task.pk).update(worker="sweep")
    runner.finish(claimed, Task.State.SUCCEEDED)
    task.refresh_from_db()
    assert task.state == "running"


def test_the_sweep_rings_for_the_oldest_of_each_lock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "WAITING_SECONDS", 0)
    rung: list[int] = []
    monkeypatch.setattr(sweep, "ring", lambda pk, queue, limit: rung.append(pk))
    first, _second, free, _also_free = (queued(world, lock_key=key) for key in ("a", "a", "", ""))
    sweep.ring_for_waiting()
    assert rung == [first.pk, free.pk, _also_free.pk]


@pytest.mark.usefixtures("no_grace")
def test_the_sweep_sees_what_was_begun_before_the_clock_was_put_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(sweep, "ring", lambda pk, queue, limit: rung.append(pk))
    waiting, dead = queued(world), queued(world)
    runner.claim(dead.pk, "dead")
    later = timezone.now() + timedelta(hours=1)
    Task.objects.update(created_at=later)
    Task.objects.filter(pk=dead.pk).update(started_at=later)
    assert (sweep.ring_for_waiting(), rung, sweep.end_abandoned()) == (1, [waiting.pk], 1)


def ask(world: World, *, key: str | None, request: Any = "x", actor: str = "operator") -> Task:
    return services.ask_for(
        "tests.do", actor=getattr(world, actor), target=world.instance.ref, host_name="kvm-01", key=key, request=request
    )


def test_a_key_that_comes_twice_in_one_moment_makes_one_task(world: World) -> None:
    assert ask(world, key="k").pk == ask(world, key="k").pk
    with pytest.raises(OtherRequest):
        ask(world, key="k", request="y")
    assert ask(world, key="k", actor="manager").pk != ask(world, key="k").pk, "a key is one's own"
    assert ask(world, key=None).pk != ask(world, key=None).pk


def test_a_key_is_good_for_a_day(world: World) -> None:
    first = ask(world, key="k")
    Task.objects.filter(pk=first.pk).update(created_at=first.created_at - services.KEY_LIFE * 1.01)
    assert services.repeat_of(actor=world.operator, key="k", request="y") is None
    assert ask(world, key="k", request="y").pk != first.pk


def test_a_task_can_name_what_is_not_there(world: World) -> None:
    task = queued(world, object_uuid=uuid.uuid4())
    assert Task.objects.visible_to(world.viewer).filter(pk=task.pk).exists()
    assert not Task.objects.visible_to(world.stranger).filter(pk=task.pk).exists()


def test_a_database_that_takes_nothing_meanwhile_is_not_our_own_fault(world: World) -> None:
    def work(context: Context) -> None:
        raise OperationalError("database is locked")

    declare(work)
    task = done(queued(world))
    assert task.state == Task.State.FAILED
    assert task.error is not None and task.error["title"] == "Webvirt's database does not answer"
