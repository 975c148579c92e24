"""Chores come again, errands one after another; neither keeps events waiting."""

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from monitor.chores import Chore
from monitor.errands import Errand, Errands
from monitor.intake import Intake
from monitor.link import MOST_ASIDE, Link
from tests.waiting import wait_for
from virt.connection import Connection
from virt.errors import NotFound


def test_a_chore_does_one_step_at_a_time_and_then_rests() -> None:
    done = []

    def make() -> Iterator[float]:
        done.append(1)
        yield 0.0
        done.append(2)

    chore = Chore(60, make)
    chore.step()
    assert done == [1]
    chore.step()
    assert done == [1, 2]
    assert chore.wait() > 50
    chore.step()
    assert done == [1, 2]


def test_a_chore_that_fails_is_tried_again_only_at_its_time() -> None:
    def make() -> Iterator[float]:
        raise NotFound

    chore = Chore(60, make)
    with pytest.raises(NotFound):
        chore.step()
    assert chore.wait() > 50


def finish(intake: Intake, errands: Errands) -> None:
    """Do the reader's part until no errand is left."""

    def gone_through() -> bool:
        for take_in in intake.take(0.05).answers:
            take_in()
        return errands.is_idle

    wait_for(gone_through)


def test_errands_run_in_order_and_urgent_ones_first(link: Link, intake: Intake) -> None:
    ran: list[str] = []

    def errand(name: str) -> Errand:
        def ask(conn: Connection) -> str:
            return name

        def take_in(answer: Future[Any]) -> None:
            ran.append(answer.result())

        return Errand(lambda: ask, take_in)

    errands = Errands(link, intake)
    errands.add([errand("a"), errand("b"), errand("c")])
    errands.add([errand("urgent"), Errand(lambda: ran.append("told"))], first=True)
    finish(intake, errands)
    assert ran == ["a", "urgent", "told", "b", "c"]


def test_an_errand_that_fails_does_not_stop_the_line(link: Link, intake: Intake) -> None:
    ran = []

    def fail(conn: Connection) -> None:
        raise NotFound

    def ask(conn: Connection) -> None:
        ran.append(1)

    errands = Errands(link, intake)
    errands.add([Errand(lambda: fail), Errand(lambda: ask)])
    [take_in] = wait_for(lambda: intake.take(0.1).answers)
    with pytest.raises(NotFound):
        take_in()
    finish(intake, errands)
    assert ran == [1]


def test_calls_that_are_held_up_leave_room_for_others(link: Link) -> None:
    held: Future[None] = Future()

    def wait(conn: Connection) -> None:
        held.result(10)

    asked = [link.aside("held", wait, lambda answer: None, most=2) for _ in range(MOST_ASIDE)]
    came: Future[str] = Future()
    assert link.aside("other", lambda conn: conn.driver, lambda answer: came.set_result(answer.result()))
    assert came.result(5) == "TEST"
    held.set_result(None)
    assert asked == [True, True, False, False]
