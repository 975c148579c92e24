"""Who is signed in by a session, asked outside of a request; and the word that sessions ended."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.dispatch import Signal
from django.http import HttpRequest

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore

# Sent with `user` when some of their sessions ended, so that pages that are open in them end at once.
sessions_ended = Signal()


def person_of(session_key: str | None) -> Any:
    """The active user of this session; AnonymousUser where it has ended, or never was."""
    if not session_key:
        return AnonymousUser()
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return get_user(request)
