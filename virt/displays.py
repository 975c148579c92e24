"""Where the displays of running guests listen."""

from dataclasses import dataclass
from uuid import UUID

from virt.connection import Connection
from virt.errors import InvalidState, NotFound
from virt.translate import translated_errors
from virt.words import gettext_noop
from virt.xml.domain import Domain


@dataclass(frozen=True)
class Listening:
    """A VNC server on the guest's host: its `address` and `port`, or the `path` of its unix socket.

    It may have neither. `run` is another number after each start of the guest.
    """

    run: int
    address: str = ""
    port: int = 0
    path: str = ""


@translated_errors()
def listening(conn: Connection, uuid: UUID, index: int) -> Listening:
    """Return where the guest's display listens now; `index` counts its graphics devices (virDomainGetXMLDesc).

    Raises InvalidState while it does not run, NotFound where there is no VNC.
    """
    domain = conn.domain(uuid)
    run = domain.ID()
    if run < 0:
        raise InvalidState(gettext_noop("The guest is not running."))
    screens = Domain.parse(domain.XMLDesc(0)).graphics
    if index >= len(screens) or screens[index].type != "vnc":
        raise NotFound(gettext_noop("The guest has no VNC display."))
    screen = screens[index]
    return Listening(
        run,
        address=screen.listen_address or screen.listen or "",
        port=max(screen.port or 0, 0),
        path=screen.socket or "",
    )
