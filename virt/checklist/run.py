"""The checklist of one host, from its name to its screens."""

from collections.abc import Iterator

from virt.access import Access
from virt.checklist import console, daemon, entry, inside, reach
from virt.checklist.line import Budget, Line, State
from virt.checklist.seen import Seen, look_here
from virt.transport import Endpoint, endpoint

# All of it takes no longer, whatever hangs.
SECONDS = 55.0

_REACH = ("name", "port")
_INSIDE = ("versions", "kvm", "pool", "network", "memory")
_LINES = {
    "memory": ("daemon", *_INSIDE),
    "unix": ("daemon", "permission", *_INSIDE, "console"),
    "tcp": (*_REACH, "daemon", "password", *_INSIDE, "console"),
    "tls": (*_REACH, "daemon", "certificates", *_INSIDE, "console"),
    # The clock is told by ssh alone: libvirt has no call for it.
    "ssh": (*_REACH, "host_key", "key", "shell", "daemon", "permission", *_INSIDE, "clock", "console"),
}

# How guests are made and shown is told of QEMU's alone.
_OF_QEMU = ("kvm", "console")


def check(access: Access, *, let_in: str) -> Iterator[Line]:
    """Yield the lines in their order, as they are found; it takes `SECONDS` at most.

    What needs one that failed is NOT_TRIED. `let_in` is the line for a root's shell there that lets us in.
    """
    left = list(planned(access))
    for line in _found(access, endpoint(access.uri), let_in):
        if line.name in left:
            left.remove(line.name)
        yield line
    for name in left:
        yield Line(name, State.NOT_TRIED)


def planned(access: Access) -> tuple[str, ...]:
    """The names of the lines to come. A host may ask for more, as a password over TLS."""
    lines = _LINES[endpoint(access.uri).transport]
    qemu = access.uri.partition(":")[0].partition("+")[0] == "qemu"
    return lines if qemu else tuple(name for name in lines if name not in _OF_QEMU)


def _found(access: Access, peer: Endpoint, let_in: str) -> Iterator[Line]:
    budget = Budget(SECONDS)
    names = planned(access)
    seen: Seen | None = None
    ahead = 0
    if peer.host:
        for line in reach.lines(peer, budget):
            yield line
            if line.failed:
                return
    if peer.transport == "ssh":
        entered = yield from entry.lines(access, peer, let_in, budget)
        if entered is None:
            return
        seen, ahead = entered.seen, entered.ahead
    elif peer.transport == "unix":
        seen = look_here()
    asked = yield from daemon.lines(access, peer, seen, budget)
    if asked is None:
        return
    with asked:
        stands = yield from inside.lines(asked, seen, names, budget)
        if not stands:
            return
        if peer.transport == "ssh":
            yield entry.clock(ahead)
        if "console" in names:
            yield console.line(access, peer, asked, budget)
