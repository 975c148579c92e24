"""What can be done with consoles: opening one."""

import redis
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, require
from console.refusals import OutOfReach
from console.targets import is_for_the_host_alone, target_of
from console.tokens import Kind, Token, mint
from hosts.drivers import CONSOLE, require_offered, transport_of
from hosts.services import require_up
from instances.models import Instance
from tasks.errors import HostAway, Refused


def require_picture(instance: Instance) -> None:
    """Raise HostAway (503), or Refused (409), saying why the guest has no display to be seen now."""
    require_up(instance.host)
    words = {"name": instance.name, "state": instance.get_state_display().lower()}
    target = target_of(instance)
    if target is None:
        raise Refused(
            _("Its definition has no VNC display, and others cannot be shown yet."),
            title=_("%(name)s has no display") % words,
        )
    transport = transport_of(target.host.uri)
    if transport in (None, "memory"):
        raise Refused(
            _("The displays of this host cannot be reached from here."),
            title=_("The display of %(name)s cannot be reached") % words,
        )
    require_offered(target.host, CONSOLE)
    if not instance.has_screen:
        raise Refused(_("Its display is there while it runs."), title=_("%(name)s is in the state “%(state)s”") % words)
    listen = instance.graphics[target.index]["listen"]
    if transport in ("tcp", "tls") and listen and is_for_the_host_alone(listen):
        raise Refused(
            f"{_(OutOfReach.detail)} {_(OutOfReach.hint)}",
            title=_("The display of %(name)s cannot be reached") % words,
        )


def why_dark(instance: Instance) -> Refused | None:
    """Why the guest has no display to be seen now; None when it has one."""
    try:
        require_picture(instance)
    except Refused as refused:
        return refused
    return None


def open_console(*, instance: Instance, actor: User, session: str | None, kind: Kind = Kind.VNC) -> Token:
    """A token for the guest's display, good once and for 30 s.

    `session` is the key of the session that asks, whose cookie the WebSocket must then carry; None
    for an API token. Raises PermissionDenied, HostAway (503), or Refused (409) when there is no
    display to be seen.
    """
    require(actor, Action.OPERATE, instance.ref)
    require_picture(instance)
    try:
        return mint(instance=instance, kind=kind, user=actor, session_key=session)
    except redis.RedisError:
        raise HostAway(
            _("Redis does not answer. `manage.py doctor` says what is wrong."), title=_("Consoles cannot be opened now")
        )


def console_shape(token: Token, *, instance: Instance, request: HttpRequest) -> dict[str, object]:
    """The answer to whoever opened a console: the page, the WebSocket, and until when."""
    websocket = request.build_absolute_uri("/console/ws").replace("http", "ws", 1)
    return {
        "url": request.build_absolute_uri(reverse("console:console", args=[instance.pk])),
        "websocket": f"{websocket}?token={token.token}",
        "expires_at": token.expires_at,
    }
