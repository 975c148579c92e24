"""Whether the host's name is known, and its port answers."""

import socket
import time
from collections.abc import Iterator

from virt import transport
from virt.checklist.asking import within
from virt.checklist.line import Budget, Line, State, by_system, ok
from virt.errors import TimedOut
from virt.transport import Endpoint
from virt.words import gettext_noop

NAME_SECONDS = 5.0
PORT_SECONDS = 5.0
# How often a step may go there and back: ssh's signing in takes a dozen of these, libvirt one or two for each object.
ROUNDS = 20

_LISTEN = {
    "ssh": by_system("apt-get install openssh-server && systemctl enable --now ssh", "systemctl enable --now sshd"),
    "tcp": by_system(
        "systemctl stop libvirtd; systemctl enable --now libvirtd-tcp.socket",
        "systemctl enable --now virtproxyd-tcp.socket",
    ),
    "tls": by_system(
        "systemctl stop libvirtd; systemctl enable --now libvirtd-tls.socket",
        "systemctl enable --now virtproxyd-tls.socket",
    ),
}


def lines(peer: Endpoint, budget: Budget) -> Iterator[Line]:
    line = _name(peer, budget.at_most(NAME_SECONDS))
    yield line
    if not line.failed:
        yield _port(peer, budget)


def _name(peer: Endpoint, seconds: float) -> Line:
    try:
        addresses = within(seconds, lambda: transport.resolve(peer))
    except (OSError, TimedOut) as error:
        return Line(
            "name",
            State.FAILED,
            gettext_noop("the name %(host)s is not known"),
            gettext_noop("The machine on which Webvirt runs finds no address for this name."),
            gettext_noop("Correct the name, use the host's address in its place, or add it to /etc/hosts there."),
            command=f"getent hosts {peer.host}",
            where="webvirt",
            params={"host": peer.host},
            libvirt=str(error) if isinstance(error, OSError) else "",
        )
    if addresses == {peer.host}:
        return ok("name", gettext_noop("%(host)s is an address"), host=peer.host)
    return ok("name", gettext_noop("%(host)s is %(addresses)s"), host=peer.host, addresses=", ".join(sorted(addresses)))


def _port(peer: Endpoint, budget: Budget) -> Line:
    began = time.monotonic()
    try:
        with socket.create_connection((peer.host, peer.port), timeout=budget.at_most(PORT_SECONDS)):
            took = (time.monotonic() - began) * 1000
    except OSError as error:
        return _shut(peer, error)
    budget.allow(took / 1000 * ROUNDS)
    return ok(
        "port",
        gettext_noop("port %(port)s answers in %(ms)s ms"),
        port=str(peer.port),
        ms=f"{took:.1f}" if took < 10 else f"{took:.0f}",
    )


def _shut(peer: Endpoint, error: OSError) -> Line:
    params = {"host": peer.host, "port": str(peer.port), "place": f"[{peer.host}]" if ":" in peer.host else peer.host}
    if isinstance(error, ConnectionRefusedError):
        service = (
            gettext_noop("No ssh server listens there.")
            if peer.transport == "ssh"
            else gettext_noop("libvirt does not listen there.")
        )
        return Line(
            "port",
            State.FAILED,
            gettext_noop("port %(port)s is closed"),
            service,
            gettext_noop("If it listens on another port, write that into the address: %(place)s:PORT."),
            command=_LISTEN[peer.transport],
            where="host",
            params=params,
            libvirt=str(error),
        )
    silent = isinstance(error, TimeoutError) and error.errno is None
    return Line(
        "port",
        State.FAILED,
        gettext_noop("port %(port)s does not answer") if silent else gettext_noop("%(host)s cannot be reached"),
        gettext_noop(
            "Nothing comes back from it: the host is off, the address is another machine's, or a firewall drops it."
        )
        if silent
        else gettext_noop("There is no way to it: the host is off, on another network, or a firewall refuses it."),
        gettext_noop("If the host is on and its address is right, open the port in its firewall."),
        command=by_system(
            f"ufw allow {peer.port}/tcp",
            f"firewall-cmd --permanent --add-port={peer.port}/tcp && firewall-cmd --reload",
        ),
        where="host",
        params=params,
        libvirt="" if silent else str(error),
    )
