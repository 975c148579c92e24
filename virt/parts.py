"""The parts of a host's libvirt: where its daemons are modular, each runs, ends and begins anew by itself.

The daemon that we are connected to (virtqemud, virtproxyd) opens the others when they are first asked. One that is
away it tries again with each call; to one that has ended meanwhile it clings, so that what was asked of it before is
answered with CLOSED for as long as our connection lives, also when it runs again.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from virt.connection import Connection
from virt.errors import PartAway, VirtError, if_supported
from virt.translate import translated_errors

WATCHED = frozenset(("storage", "network", "nodedev"))
CLOSED = "client socket is closed"
# None of these waits for a single pool, whose storage may hang.
_ASKS: tuple[Callable[[Any], Any], ...] = (
    lambda handle: handle.getStoragePoolCapabilities(),
    lambda handle: handle.numOfNetworks(),
    lambda handle: handle.numOfDevices(None),
)


def away(conn: Connection) -> list[PartAway]:
    """Return which of the watched parts do not run; one that the driver does not have counts as running.

    Raises Unreachable where one has ended since it was first asked.
    (virConnectGetStoragePoolCapabilities, virConnectNumOfNetworks, virNodeNumOfDevices)
    """
    found = []
    for ask in _ASKS:
        try:
            if_supported(partial(translated_errors()(ask), conn.handle))
        except PartAway as error:
            found.append(error)
    return found


def has_ended(error: VirtError) -> bool:
    """Whether it says, of a connection that stands, that a part of it does no more."""
    return CLOSED in error.libvirt
