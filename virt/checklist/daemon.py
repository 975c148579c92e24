"""Whether libvirt answers, and lets us in: its daemon, its socket, its password."""

from collections.abc import Generator

from virt.access import Access
from virt.checklist import certificates
from virt.checklist.asking import Asked
from virt.checklist.line import Budget, Line, State, by_system, of_error, ok
from virt.checklist.seen import Seen
from virt.errors import Denied, PasswordRefused, TimedOut, VirtError
from virt.opening import at_named_socket
from virt.transport import Endpoint
from virt.words import gettext_noop

OPEN_SECONDS = 10.0
# The first line of a name counts, so that it is changed in place.
_ASK = "sed -i 's/^ *auth_tcp.*/auth_tcp = \"sasl\"/' /etc/libvirt"
_START = by_system(
    "systemctl enable --now libvirtd",
    "systemctl enable --now virtqemud.socket virtnetworkd.socket virtstoraged.socket virtnodedevd.socket",
)


def lines(access: Access, peer: Endpoint, seen: Seen | None, budget: Budget) -> Generator[Line, None, Asked | None]:
    """The lines of the daemon, and the connection; None where there is none."""
    try:
        asked = Asked(access, budget.at_most(OPEN_SECONDS))
    except VirtError as error:
        yield from refusal(access, peer, seen, error)
        return None
    yield _runs(seen)
    match peer.transport:
        case "ssh" | "unix":
            yield _permitted(seen)
        case "tcp":
            yield _signed_in(access)
        case "tls":
            yield ok("certificates", gettext_noop("both sides accept the other's"))
            if access.password:
                yield _signed_in(access)
    return asked


def _runs(seen: Seen | None) -> Line:
    # libvirt's own socket is virtproxyd's there, and passed over.
    if seen and "virtqemud" in seen.sockets:
        return ok("daemon", gettext_noop("virtqemud answers, one of libvirt's modular daemons"))
    return ok("daemon", gettext_noop("answers"))


def _permitted(seen: Seen | None) -> Line:
    if seen and "libvirt" in seen.groups:
        return ok("permission", gettext_noop("%(user)s is in the group libvirt"), user=seen.user)
    return ok("permission", gettext_noop("%(user)s may use libvirt"), user=seen.user if seen else "")


def _signed_in(access: Access) -> Line:
    if access.password:
        return ok("password", gettext_noop("%(user)s is let in"), user=access.user)
    return Line(
        "password",
        State.WARNING,
        gettext_noop("nobody is asked for one"),
        gettext_noop("Whoever reaches this port rules the host, and whatever they say goes unencrypted."),
        gettext_noop("Have libvirt ask for a user and a password (SASL), or reach the host by ssh or TLS."),
        command=by_system(
            f"{_ASK}/libvirtd.conf && systemctl restart libvirtd",
            f"{_ASK}/virtproxyd.conf && systemctl restart virtproxyd",
        ),
        where="host",
    )


def refusal(access: Access, peer: Endpoint, seen: Seen | None, error: VirtError) -> Generator[Line, None, None]:
    """The lines of a connection that did not come about."""
    if isinstance(error, TimedOut):
        yield _silent(error)
        return
    if peer.transport in ("tcp", "tls"):
        fault = certificates.fault(access, peer, error) if peer.transport == "tls" else None
        if fault or isinstance(error, PasswordRefused):
            yield _runs(seen)
            if peer.transport == "tls" and fault is None:
                yield ok("certificates", gettext_noop("both sides accept the other's"))
            yield fault or _password(access, error)
            return
        yield _stopped(None, error, "virtqemud-sock" in error.libvirt)
        return
    named = at_named_socket(peer.path, error.libvirt) if peer.path else None
    if named is not None:
        yield of_error("daemon", named)
        return
    user = seen.user if seen else ""
    stopped = any(words in error.libvirt for words in ("No such file or directory", "Connection refused"))
    # Now and then libvirt loses what was said on the other side of ssh; what was seen there says it as well.
    shut = seen is not None and bool(seen.sockets) and not seen.open
    if isinstance(error, Denied) or "Permission denied" in error.libvirt or (shut and not stopped):
        yield _runs(seen)
        yield Line(
            "permission",
            State.FAILED,
            gettext_noop("%(user)s may not use libvirt"),
            gettext_noop("libvirt's socket is for root and the group libvirt, and %(user)s is not in it."),
            gettext_noop("It counts from the next login."),
            command=f"usermod --append --groups libvirt {user}",
            where="host",
            params={"user": user},
            libvirt=error.libvirt,
        )
        return
    yield _stopped(seen, error, stopped or (seen is not None and not seen.sockets))


def _silent(error: TimedOut) -> Line:
    return Line(
        "daemon",
        State.FAILED,
        gettext_noop("accepts us and then stays silent"),
        gettext_noop("libvirt's daemon on the host is stuck, or waits for something that never comes."),
        gettext_noop("Guests go on while it starts anew. Its log says what it waited for: journalctl -u libvirtd."),
        command=by_system("systemctl restart libvirtd", "systemctl restart virtqemud"),
        where="host",
        libvirt=error.libvirt,
    )


def _stopped(seen: Seen | None, error: VirtError, stopped: bool) -> Line:
    if seen and not seen.installed:
        return Line(
            "daemon",
            State.FAILED,
            gettext_noop("is not installed"),
            gettext_noop("There is neither libvirtd nor virtqemud on the host."),
            command=by_system(
                "apt-get install libvirt-daemon-system qemu-system",
                "dnf install libvirt qemu-kvm && systemctl enable --now virtqemud.socket",
            ),
            where="host",
            libvirt=error.libvirt,
        )
    if stopped:
        return Line(
            "daemon",
            State.FAILED,
            gettext_noop("does not run"),
            gettext_noop("Neither libvirtd nor virtqemud listens at libvirt's socket."),
            gettext_noop("If it does not start, its log says why: journalctl -u libvirtd -u virtqemud."),
            command=_START,
            where="host",
            libvirt=error.libvirt,
        )
    return of_error("daemon", error)


def _password(access: Access, error: VirtError) -> Line:
    if not access.user or not access.password:
        return Line(
            "password",
            State.FAILED,
            gettext_noop("a password is missing") if access.user else gettext_noop("a user and a password are missing"),
            gettext_noop("libvirt on the host asks for a user and a password (SASL), and Webvirt was not told both."),
            gettext_noop("The user is written into the address, the password into its field. This makes a user:"),
            command=f"saslpasswd2 -a libvirt {access.user or 'webvirt'}",
            where="host",
            libvirt=error.libvirt,
        )
    return Line(
        "password",
        State.FAILED,
        gettext_noop("%(user)s and the password are refused"),
        gettext_noop("libvirt on the host knows no such user, or another password."),
        gettext_noop("Enter the password again in Webvirt, or set it anew on the host:"),
        command=f"saslpasswd2 -a libvirt {access.user}",
        where="host",
        params={"user": access.user},
        libvirt=error.libvirt,
    )
