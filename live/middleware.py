"""How far the live channel was when a page began to be drawn."""

from collections.abc import Callable

import redis
from django.http import HttpRequest, HttpResponse

from live.channel import STREAM
from webvirt.redis import client


class LiveSeqMiddleware:
    """Read the channel's number before any row is read, so that the page knows what it may have missed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and request.user.is_authenticated and not request.path.startswith("/api/"):
            request.live_seq = self.seq()  # type: ignore[attr-defined] # ours, for this request alone
        return self.get_response(request)

    def seq(self) -> int | None:
        """The newest entry's number; None without Redis, at which the page fetches its pieces once more."""
        try:
            return int(client().get(f"{STREAM}:seq") or 0)
        except redis.RedisError:
            return None
