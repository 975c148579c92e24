"""From a guest to a connected socket of its display."""

import socket
from dataclasses import dataclass
from uuid import UUID

from hosts.access import access_to
from hosts.models import Host
from instances.models import Instance
from virt import domains
from virt.connection import open_connection
from virt.errors import Unsupported
from virt.transport import endpoint
from virt.words import gettext_noop


@dataclass(frozen=True)
class Target:
    """A display of a guest: `index` counts the guest's graphics devices, `reach` is by what its host was reached."""

    host: Host
    reach: tuple[str, str, str]
    uuid: UUID
    index: int


def target_of(instance: Instance) -> Target | None:
    """The guest's first VNC display; None when its definition has none."""
    for index, graphics in enumerate(instance.graphics):
        if graphics["type"] == "vnc":
            return Target(instance.host, instance.host.reach, instance.uuid, index)
    return None


def is_near(uri: str) -> bool:
    """Whether the host's libvirt can hand a display over: only its unix socket passes descriptors."""
    try:
        return endpoint(uri).transport == "unix"
    except Unsupported:
        return False


def connect(target: Target) -> socket.socket:
    """Open the display, by a libvirt connection that is closed again at once (virDomainOpenGraphicsFD).

    Raises VirtError: Unsupported for a host that cannot hand it over, NotFound, InvalidState,
    Unreachable.
    """
    if not is_near(target.host.uri):
        raise Unsupported(
            gettext_noop("The displays of this host cannot be reached from here."),
            hint=gettext_noop("Only displays of guests on Webvirt's own machine can be opened."),
        )
    with access_to(target.host) as access:
        connection = open_connection(access)
    with connection:
        return socket.socket(fileno=domains.graphics_fd(connection, target.uuid, target.index))
