"""Whether the screens of guests come through to Webvirt."""

import ipaddress
import re

from virt import ssh
from virt.access import Access
from virt.checklist.asking import Asked
from virt.checklist.line import Budget, Line, State, by_system, of_error, ok
from virt.connection import Connection
from virt.errors import TimedOut, VirtError
from virt.translate import translated_errors
from virt.transport import Endpoint
from virt.words import gettext_noop
from virt.xml.domain import Domain, Graphics, VirtType

FORWARD_SECONDS = 8.0
ASK_SECONDS = 5.0
# A port on which nobody listens: who may forward hears that it is closed.
CLOSED = "127.0.0.1:1"
_ALLOW = "echo 'AllowTcpForwarding local' > /etc/ssh/sshd_config.d/00-webvirt.conf"
_ADDRESS = re.compile(r" -vnc '?\[?([^ ,'\]]+?)\]?:\d")


def line(access: Access, peer: Endpoint, asked: Asked, budget: Budget) -> Line:
    match peer.transport:
        case "ssh":
            return _forwarding(access, budget.at_most(FORWARD_SECONDS))
        case "unix":
            return ok("console", gettext_noop("through libvirt's own socket"))
    try:
        return listens(asked.ask(budget.at_most(ASK_SECONDS), _listen), peer.host)
    except VirtError as error:
        return of_error("console", error, State.WARNING)


def _forwarding(access: Access, seconds: float) -> Line:
    try:
        said = ssh.run(access, "-W", CLOSED, seconds=seconds).err
    except TimedOut as error:
        return of_error("console", error)
    if "prohibited" not in said:
        return ok("console", gettext_noop("through ssh"))
    return Line(
        "console",
        State.FAILED,
        gettext_noop("ssh forwards nothing"),
        gettext_noop("Guests' screens come through ssh, and the host's sshd does not allow that (AllowTcpForwarding)."),
        gettext_noop(
            "If it stays so: a Match block further down in sshd_config, or no-port-forwarding or restrict before the "
            "key in authorized_keys."
        ),
        command=by_system(f"{_ALLOW} && systemctl reload ssh", f"{_ALLOW} && systemctl reload sshd"),
        where="host",
        libvirt=said,
    )


@translated_errors()
def _listen(conn: Connection) -> str:
    """The address on which the screen of a new guest would listen, "" where it is not told.

    (virConnectDomainXMLToNative, which makes nothing: it writes QEMU's command line.)
    """
    guest = Domain(type=VirtType.QEMU, name="webvirt-check", memory_bytes=64 * 1024**2, os_type="hvm")
    guest.graphics.append(Graphics(type="vnc", autoport=True))
    written: str = conn.handle.domainXMLToNative("qemu-argv", guest.to_xml(), 0)
    found = _ADDRESS.search(written)
    return found[1] if found else ""


def listens(address: str, host: str) -> Line:
    """Whether screens that listen on `address` of their host can be reached from here."""
    try:
        alone = ipaddress.ip_address(address).is_loopback
    except ValueError:
        alone = address in ("", "localhost")
    if not alone:
        return ok("console", gettext_noop("new guests' screens listen on %(address)s"), address=address)
    # The first line of a name counts.
    setting = (
        f"sed -i '/^ *vnc_listen/d' /etc/libvirt/qemu.conf && echo 'vnc_listen = \"{host}\"' >> /etc/libvirt/qemu.conf"
    )
    return Line(
        "console",
        State.WARNING,
        gettext_noop("new guests' screens listen on the host itself only"),
        gettext_noop("Over TCP and TLS Webvirt goes to the screens themselves, and %(address)s cannot be reached."),
        gettext_noop(
            "Name the address at which Webvirt reaches the host, and let nobody else to its ports from 5900 on; it "
            "counts from a guest's next start. By ssh screens are reached without this."
        ),
        command=by_system(f"{setting} && systemctl restart libvirtd", f"{setting} && systemctl restart virtqemud"),
        where="host",
        params={"address": address},
    )
