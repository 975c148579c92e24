"""From a guest to a connected socket of its display."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

from console.refusals import NoWay, OutOfReach
from console.rfb import require_heard, require_open
from hosts.access import access_to
from hosts.drivers import transport_of
from hosts.models import Host
from instances.models import Instance
from virt import displays, domains
from virt.access import HOST
from virt.connection import Connection, open_connection
from virt.displays import Listening
from virt.errors import InvalidState, Unsupported
from virt.passage import passage
from virt.transport import endpoint
from virt.words import gettext_noop

CONNECT_SECONDS = 10.0
# A host that goes dark ends nothing: it is asked this often whether it is there, and that many times in vain at most.
ASK_SECONDS, ASKED_IN_VAIN = 5, 2
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what a display listens on, compared
LOOPBACK = "localhost"


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


def is_for_the_host_alone(address: str) -> bool:
    """Whether nobody but the host itself reaches what listens there: its loopback, a socket's path, or nothing."""
    if not address or address == LOOPBACK or address.startswith("/"):
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def connect(target: Target) -> socket.socket:
    """Open the display, where it listens now: what the rows say may be another guest's by now.

    On this machine libvirt hands it over (virDomainOpenGraphicsFD); ssh leads to it; else its own port does.
    Raises VirtError: OutOfReach, Encrypted, Unsupported, NotFound, InvalidState, Unreachable.
    """
    match transport_of(target.host.uri):
        case "unix":
            return _near(target)
        case "ssh":
            return _by_ssh(target)
        case "tcp" | "tls":
            return _over_the_network(target)
    raise Unsupported(gettext_noop("The displays of this host cannot be reached from here."))


def _near(target: Target) -> socket.socket:
    with access_to(target.host) as access:
        connection = open_connection(access)
    with connection:
        return socket.socket(fileno=domains.graphics_fd(connection, target.uuid, target.index))


def _by_ssh(target: Target) -> socket.socket:
    with access_to(target.host, shared=True) as access, open_connection(access) as connection:
        shown = displays.listening(connection, target.uuid, target.index)
        with passage(access, there_of(shown)) as path:
            display = _opened(partial(socket_at, path))
        return _still(target, connection, shown, display)


def there_of(shown: Listening) -> str:
    """Where the display listens, as its host itself would say it."""
    if shown.path:
        return shown.path
    if not shown.port or (shown.address and not HOST.fullmatch(shown.address)):
        raise OutOfReach()
    address = shown.address or LOOPBACK
    if address in EVERYWHERE:
        address = "127.0.0.1" if address != "::" else "::1"
    return f"[{address}]:{shown.port}"


def _over_the_network(target: Target) -> socket.socket:
    with access_to(target.host) as access, open_connection(access) as connection:
        shown = displays.listening(connection, target.uuid, target.index)
        if not shown.port or is_for_the_host_alone(shown.address):
            raise OutOfReach()
        address = endpoint(target.host.uri).host if shown.address in EVERYWHERE else shown.address
        display = _opened(partial(socket_to, address, shown.port))
        return _still(target, connection, shown, display)


def socket_at(path: Path) -> socket.socket:
    display = socket.socket(socket.AF_UNIX)
    display.settimeout(CONNECT_SECONDS)
    try:
        display.connect(str(path))
    except OSError as error:
        display.close()
        raise NoWay(libvirt=str(error)) from error
    return display


def socket_to(address: str, port: int) -> socket.socket:
    try:
        display = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise NoWay(libvirt=str(error)) from error
    # What listens on this machine's own loopback is no display of another one.
    if is_for_the_host_alone(display.getpeername()[0]):
        display.close()
        raise OutOfReach()
    end_when_silent(display)
    return display


def end_when_silent(display: socket.socket) -> None:
    """Have the connection break where its host is silent for 15 s, whether or not something is to be sent."""
    display.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    display.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, ASK_SECONDS)
    display.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, ASK_SECONDS)
    display.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, ASKED_IN_VAIN)
    display.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ASK_SECONDS * (1 + ASKED_IN_VAIN) * 1000)


def _opened(open_display: Callable[[], socket.socket]) -> socket.socket:
    """A connection from which nothing was read yet, after a look by another one at what the display asks for."""
    with open_display() as looked_at:
        require_open(looked_at)
    display = open_display()
    try:
        require_heard(display)
    except BaseException:
        display.close()
        raise
    display.settimeout(None)
    return display


def _still(target: Target, connection: Connection, shown: Listening, display: socket.socket) -> socket.socket:
    """The display, if it is this guest's: a port may have become another's between the look and the connecting."""
    try:
        if displays.listening(connection, target.uuid, target.index) == shown:
            return display
        raise InvalidState(gettext_noop("The guest was started anew in this moment."))
    except BaseException:
        display.close()
        raise
