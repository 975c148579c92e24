"""events: the live channel for programs, as server-sent events."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import redis
from django.contrib.auth.models import AnonymousUser
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import renderers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.models import ApiToken
from accounts.sessions import person_of
from api.views import Plain
from live.channel import STREAM
from live.stream import Message, follow
from tasks.errors import Refused
from webvirt.redis import client

MOST_DIGITS = 18

LAST = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.INT64,
    OpenApiParameter.HEADER,
    description="The `id` that came last: what followed it is told first, or that it is not known any more.",
)


class Away(Refused):
    """Redis does not answer."""

    status = 503


class EventStream(renderers.BaseRenderer):
    """Named for `Accept` alone: the view writes the stream itself."""

    media_type = "text/event-stream"
    format = "events"
    charset = None


class Events(Plain):
    """What changes, as server-sent events, for as long as one listens.

    The `data` of each is `{"changes": [{"type": "instance", "id": 7, "change": "added"}], "seq": 512}`, with `added`,
    `changed` or `removed`, and of what one may see alone; the first comes at once, and has no changes. An event `gap`
    says that more changed than is told: read anew what you know. Something comes every 15 s, if only a comment.
    """

    renderer_classes = (EventStream,)
    http_method_names = ("get", "options")

    @extend_schema(parameters=[LAST], responses={(200, "text/event-stream"): OpenApiTypes.STR})
    def get(self, request: Request) -> StreamingHttpResponse:
        last = last_of(request)
        try:
            client().get(f"{STREAM}:seq")
        except redis.RedisError:
            raise Away(_("The live channel does not answer. Try again in a few seconds."))
        answer = StreamingHttpResponse(lines(follow(listener(request), last)), content_type="text/event-stream")
        answer["Cache-Control"] = "no-store"
        answer["X-Accel-Buffering"] = "no"  # nginx passes each event on at once
        return answer


def last_of(request: Request) -> int | None:
    """The number that came last. Raises ValidationError."""
    said = request.headers.get("Last-Event-ID", "")
    if not said:
        return None
    if said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS:
        return int(said)
    raise ValidationError({"Last-Event-ID": [_("Give a whole number.")]})


def listener(request: Request) -> Callable[[], Any]:
    """Who listens, by their token or session, asked anew each time."""
    if isinstance(request.auth, ApiToken):
        token_id = request.auth.pk
        return lambda: user_of_token(token_id)
    session_key = request._request.session.session_key
    return lambda: person_of(session_key)


def user_of_token(token_id: int) -> Any:
    """The token's user; AnonymousUser when the token is gone, or the user may not come in any more."""
    token = ApiToken.objects.select_related("user").filter(pk=token_id, user__is_active=True).first()
    return token.user if token else AnonymousUser()


async def lines(messages: AsyncGenerator[Message]) -> AsyncIterator[str]:
    """The messages in the form of server-sent events."""
    first = True
    async with aclosing(messages) as told:
        async for message in told:
            yield written(message, first=first)
            first = False


def written(message: Message, *, first: bool) -> str:
    data = json.dumps({"changes": message.changes, "seq": message.seq})
    if message.gap:
        return f"event: gap\nid: {message.seq}\ndata: {data}\n\n"
    if message.changes or first:
        return f"id: {message.seq}\ndata: {data}\n\n"
    # An id without data is remembered, and given to nobody.
    return f": nothing new\nid: {message.seq}\n\n"
