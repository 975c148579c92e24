"""The threads in which requests are answered.

They are kept from one request to the next, since a new one would open a connection to the database of its own.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponseBase

MOST_IDLE = 8  # kept while nobody asks for anything; a moment with more requests at once ends what is over it

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Threads:
    """As many as there are requests at once; of those that have nothing to do, the last used is taken first."""

    def __init__(self) -> None:
        self.idle: list[ThreadPoolExecutor] = []

    def take(self) -> ThreadPoolExecutor:
        try:
            return self.idle.pop()
        except IndexError:
            return ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")

    def give_back(self, thread: ThreadPoolExecutor) -> None:
        """Keep it for the next request once it has done all that this one asked of it."""
        thread.submit(self._rest, thread)

    def _rest(self, thread: ThreadPoolExecutor) -> None:
        if len(self.idle) < MOST_IDLE:
            self.idle.append(thread)
        else:
            connections.close_all()
            thread.shutdown(wait=False)


def in_kept_threads(application: Application, threads: Threads) -> Application:
    """`application`, each request with one thread of its own for all of it that is not async."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        thread = threads.take()
        try:
            async with ThreadSensitiveContext(executor=thread):
                await application(scope, receive, send)
        finally:
            threads.give_back(thread)

    return served


class Handler(ASGIHandler):
    """Django's, but that middleware and views, none of them async, are gone through in one visit to the thread."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response)(request)
