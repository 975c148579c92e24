"""Whether somebody who holds a redeemed token may see the display: asked at the door, and again while it is open."""

from hmac import compare_digest
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, parse_cookie

from accounts.models import User
from accounts.rights import Action, may
from console.targets import Target, target_of
from console.tokens import Claim, digest_of
from instances.models import Instance

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def session_key_in(cookies: str) -> str:
    """The session key that a Cookie header carries, "" without one."""
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")


def admit(claim: Claim, session_key: str) -> Target | None:
    """The display that the claim leads to; None when its user, session or right is gone, or it is another's cookie."""
    user = User.objects.filter(pk=claim.user_id, is_active=True).first()
    if user is None or not _carried_by(claim, user, session_key):
        return None
    rows = Instance.objects.visible_to(user).select_related("host")
    instance = rows.filter(pk=claim.instance_id, host_id=claim.host_id, uuid=claim.uuid).first()
    if instance is None or not may(user, Action.OPERATE, instance.ref):
        return None
    return target_of(instance)


def _carried_by(claim: Claim, user: User, session_key: str) -> bool:
    """Whether the cookie goes with the claim: the very session that asked, or for an API token nobody else's."""
    person = _signed_in(session_key)
    if claim.session is None:
        return not person.is_authenticated or person.pk == user.pk
    return compare_digest(digest_of(session_key), claim.session) and person.pk == user.pk


def _signed_in(session_key: str) -> Any:
    """Who is signed in with this session; AnonymousUser where it has ended."""
    if not session_key:
        return AnonymousUser()
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return get_user(request)
