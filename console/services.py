"""What can be done with consoles: opening one."""

import redis
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, require
from console.targets import is_near, target_of
from console.tokens import Kind, Token, mint
from hosts.services import require_up
from instances.models import Instance
from tasks.errors import HostAway, Refused


def open_console(*, instance: Instance, actor: User, session: str | None, kind: Kind = Kind.VNC) -> Token:
    """A token for the guest's display, good once and for 30 s.

    `session` is the key of the session that asks, whose cookie the WebSocket must then carry; None
    for an API token. Raises PermissionDenied, HostAway (503), or Refused (409) when there is no
    display to be seen.
    """
    require(actor, Action.OPERATE, instance.ref)
    require_up(instance.host)
    target = target_of(instance)
    if target is None:
        raise Refused(_("%(name)s has no VNC display.") % {"name": instance.name})
    if not is_near(target.uri):
        raise Refused(_("Only displays of guests on Webvirt's own machine can be opened."))
    if not instance.has_screen:
        raise Refused(
            _("Start %(name)s first.") % {"name": instance.name},
            title=_("%(name)s has no picture: it is %(state)s")
            % {"name": instance.name, "state": instance.get_state_display().lower()},
        )
    try:
        return mint(instance=instance, kind=kind, user=actor, session_key=session)
    except redis.RedisError:
        raise HostAway(_("Webvirt's memory of open consoles (Redis) does not answer. Try again in a moment."))


def console_shape(token: Token, *, instance: Instance, request: HttpRequest) -> dict[str, object]:
    """The answer to whoever opened a console: the page, the WebSocket, and until when (RFC 3339 once it is JSON)."""
    websocket = request.build_absolute_uri("/console/ws").replace("http", "ws", 1)
    return {
        "url": request.build_absolute_uri(reverse("console:console", args=[instance.pk])),
        "websocket": f"{websocket}?token={token.token}",
        "expires_at": token.expires_at,
    }
