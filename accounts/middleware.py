"""The person behind a request: their time zone, and what they may see."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.rights import read_once


class PersonMiddleware:
    """Render times in the viewer's zone (profile's, else browser's cookie, else UTC); read their grants once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = getattr(request.user, "timezone", "") or request.COOKIES.get("webvirt_tz", "")
        try:
            zone = ZoneInfo(name) if name else None
        except (ValueError, OSError, KeyError):  # a cookie may hold anything
            zone = None
        with timezone.override(zone), read_once():
            return self.get_response(request)
