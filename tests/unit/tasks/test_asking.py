"""Asking a host: one question in flight, its answer shared, and a limit to the waiting."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from tasks import asking
from tasks.errors import HostAway, Refused
from tasks.registry import QUESTIONS
from tests.waiting import wait_for
from virt.errors import Unreachable, Unsupported

asked: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def _worker(redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker that answers in threads of its own, none of which outlives the test."""
    asked.clear()
    threads: list[threading.Thread] = []

    def send_task(name: str, args: tuple[Any, ...], **options: Any) -> None:
        threads.append(threading.Thread(target=asking.answer, args=args))
        threads[-1].start()

    monkeypatch.setattr(asking.celery_app, "send_task", send_task)
    yield
    for thread in threads:
        thread.join()


def answers(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    def question(host_id: int, arguments: dict[str, Any]) -> Any:
        asked.append(arguments)
        return function()

    monkeypatch.setitem(QUESTIONS, "tests.ask", question)


def test_many_who_ask_the_same_share_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    answers(monkeypatch, lambda: gate.wait(2) and "picture")
    with ThreadPoolExecutor(8) as people:
        waiting = [people.submit(asking.ask, 1, "tests.ask", {"uuid": "a"}) for _ in range(8)]
        gate.set()
        assert [one.result() for one in waiting] == ["picture"] * 8
    assert asking.ask(1, "tests.ask", {"uuid": "a"}) == "picture"
    assert len(asked) == 1
    asking.ask(1, "tests.ask", {"uuid": "b"})
    assert len(asked) == 2


def test_a_host_that_says_nothing_is_away_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    answers(monkeypatch, lambda: gate.wait(5))
    with pytest.raises(HostAway):
        asking.ask(1, "tests.ask", {"uuid": "silent"}, timeout=0.1)
    gate.set()


@pytest.mark.parametrize(("error", "kind"), [(Unsupported(), Refused), (Unreachable(), HostAway)])
def test_what_the_host_refuses_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Refused]
) -> None:
    def fail() -> None:
        raise error

    answers(monkeypatch, fail)
    with pytest.raises(Refused) as told:
        asking.ask(1, "tests.ask", {"uuid": kind.__name__})
    assert type(told.value) is kind
    assert str(told.value.detail)


def test_who_asks_again_after_a_failure_is_not_told_of_the_old_one(
    redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once() -> str:
        if len(asked) == 1:
            raise Unreachable
        return "mended"

    def again() -> Any:
        try:
            return asking.ask(1, "tests.ask", {"uuid": "mended"})
        except HostAway:
            return None

    answers(monkeypatch, fail_once)
    assert again() is None
    kept = [redis_server.pttl(key) for key in redis_server.keys("webvirt:ask:*")]
    assert max(kept, default=0) <= asking.FAILURE_MS < 1000, "whoever mends it needs longer to come back"
    assert wait_for(again) == "mended"
