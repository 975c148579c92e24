"""Requests are answered in threads that are kept: one request's at a time, and never more at rest than a few."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from tests.waiting import wait_for
from webvirt.threads import MOST_IDLE, Threads, in_kept_threads

T = TypeVar("T")


def application(work: Callable[[], Any], threads: Threads | None = None) -> Any:
    """An ASGI application that does the work, which knows nothing of loops, twice."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await send(await sync_to_async(work)())
        await send(await sync_to_async(work)())

    return in_kept_threads(asked, threads or Threads())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: in this one the browser's loop goes on where its tests came before."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def ask(application: Any) -> list[Any]:
    heard: list[Any] = []

    async def send(message: Any) -> None:
        heard.append(message)

    await application({}, None, send)
    return heard


def test_a_request_has_one_thread_and_the_next_one_the_same() -> None:
    threads = Threads()
    app = application(threading.get_ident, threads)

    async def one_after_the_other() -> list[Any]:
        found = []
        for _ in range(3):
            found += await ask(app)
            await asyncio.to_thread(wait_for, lambda: threads.idle)
        return found

    assert len(set(run(one_after_the_other()))) == 1


def test_requests_at_once_do_not_wait_for_each_other() -> None:
    together = threading.Barrier(2, timeout=10)

    def meet() -> int:
        together.wait()
        return threading.get_ident()

    app = application(meet)

    async def at_once() -> list[list[Any]]:
        return list(await asyncio.gather(ask(app), ask(app)))

    first, second = run(at_once())
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]


def test_no_more_than_a_few_rest() -> None:
    crowd = MOST_IDLE + 3
    together = threading.Barrier(crowd, timeout=10)
    threads = Threads()
    before = threading.active_count()

    async def at_once() -> None:
        app = application(together.wait, threads)
        await asyncio.gather(*(ask(app) for _ in range(crowd)))

    run(at_once())
    wait_for(lambda: len(threads.idle) == MOST_IDLE and threading.active_count() <= before + MOST_IDLE)


def test_a_thread_whose_asker_went_away_is_not_given_to_another_before_it_is_done() -> None:
    threads = Threads()
    began, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        may_end.wait(10)

    async def leave() -> None:
        request = asyncio.create_task(ask(application(slow, threads)))
        await asyncio.to_thread(began.wait, 10)
        request.cancel()
        request.cancel()
        await asyncio.wait([request], timeout=0.1)
        assert threads.idle == []
        may_end.set()
        await asyncio.wait([request])
        await asyncio.to_thread(wait_for, lambda: threads.idle)

    run(leave())
