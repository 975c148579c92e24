"""The person behind a request: whether there is one, their time zone, their language, and what they may see."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.rights import read_once


class SignedInMiddleware(LoginRequiredMiddleware):
    """Send who is not signed in to the login page; where htmx asked for a part of a page, the whole browser goes there.

    What our own scripts fetch is redirected, at which they load their page anew.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: tuple[Any, ...], view_kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        answer = super().process_view(request, view_func, view_args, view_kwargs)
        asked = HtmxDetails(request)
        if answer is None or not asked:
            return answer
        return HttpResponseClientRedirect(redirect_to_login(asked.current_url_abs_path or "/").url)


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
