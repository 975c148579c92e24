"""The person behind a request: their time zone, their language, and what they may see."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.rights import read_once


class PersonMiddleware:
    """Render times in the viewer's zone, and words in their language; read their grants once.

    The zone is the profile's, else the browser's cookie, else UTC. The language is the profile's, else what
    Django's own middleware chose before from what the browser accepts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = getattr(request.user, "timezone", "") or request.COOKIES.get("webvirt_tz", "")
        try:
            zone = ZoneInfo(name) if name else None
        except (ValueError, OSError, KeyError):  # a cookie may hold anything
            zone = None
        if language := getattr(request.user, "language", ""):
            # Not an override: the answer's headers, which are written after this, tell it too.
            translation.activate(language)
        with timezone.override(zone), read_once():
            return self.get_response(request)
