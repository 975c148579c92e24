"""Where a libvirt URI leads, and how to cut the transport that an open is stuck on.

libvirt's open has no time limit and never returns from a peer that accepts and stays silent.
shutdown(2) on its socket ends it at once; which socket is its own is told by what was there
before the open and by the peer, since a process may open several hosts at the same time. An ssh
program that libvirt started is known by its folder, and ended.
"""

import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from virt.access import HOST, USER, Access, require_plain
from virt.errors import Unsupported
from virt.words import gettext_noop

Transport = Literal["memory", "unix", "tcp", "tls", "ssh"]

_PORTS = {"tcp": 16509, "tls": 16514, "ssh": 22}
_PROC = Path("/proc")
_FDS = Path("/proc/self/fd")
# As the kernel numbers the states of TCP.
_SYN_SENT = 2
# libvirt's own sockets, where the URI names none: /run/libvirt/libvirt-sock, virtqemud-sock…
_SOCKET_FOLDER = "libvirt"


@dataclass(frozen=True)
class Endpoint:
    """The peer of a connection: a socket's path for unix, host and port for tcp, tls and ssh, for ssh its user too."""

    transport: Transport
    host: str = ""
    port: int = 0
    path: str = ""
    user: str = ""


def endpoint(uri: str) -> Endpoint:
    """Return where a libvirt URI leads.

    Raises Unsupported for a transport that cannot be cut or what an address may not hold, ValueError for a host,
    port or user that cannot be read.
    """
    require_plain(uri)
    parts = urlsplit(uri)
    driver, _, named = parts.scheme.partition("+")
    if driver == "test" and not named and not parts.hostname:
        return Endpoint("memory")
    transport = named or ("tls" if parts.hostname else "unix")
    path = parse_qs(parts.query).get("socket", [""])[0]
    if transport == "unix":
        return Endpoint("unix", path=path)
    # What stands before an address' zone, which libvirt takes written either way: [fe80::1%25eth0], [fe80::1%eth0].
    host, user = (parts.hostname or "localhost").replace("%25", "%"), unquote(parts.username or "")
    if not HOST.fullmatch(host) or (user and not USER.fullmatch(user)) or parts.port == 0:
        raise ValueError(f"{host!r}, its port or {user!r} cannot be read")
    match transport:
        case "tcp" | "tls":
            return Endpoint(transport, host=host, port=parts.port or _PORTS[transport])
        case "ssh":
            return Endpoint("ssh", host=host, port=parts.port or _PORTS["ssh"], user=user, path=path)
    raise Unsupported(
        gettext_noop("Hosts cannot be reached by %(transport)s."),
        hint=gettext_noop("Use a local, ssh, tcp or tls address."),
        params={"transport": transport},
    )


def sockets() -> dict[int, str]:
    """Return this process's open sockets: descriptor and the kernel's name `socket:[inode]`."""
    found: dict[int, str] = {}
    for entry in _FDS.iterdir():
        # The descriptor of this very listing, or another thread's, may be gone again.
        with suppress(FileNotFoundError):
            name = str(entry.readlink())
            if name.startswith("socket:["):
                found[int(entry.name)] = name
    return found


def cut(access: Access, addresses: frozenset[str], before: frozenset[str]) -> None:
    """End what leads to the host: its ssh program, or the sockets to it whose names are not in `before`.

    `addresses` are the peer's numeric addresses (tcp and tls).
    """
    peer = endpoint(access.uri)
    if access.ssh is not None:
        for number in _programs(access.ssh.parent):
            # It may end by itself while we look. libvirt, whose child it is, has not waited for it yet.
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        return
    remote = {name: place for name, place, _state in _remote_addresses()} if peer.transport in _PORTS else {}

    def is_ours(name: str, sock: socket.socket) -> bool:
        if name in before:
            return False
        if peer.transport == "unix":
            return _is_libvirts(sock, peer)
        address, port = remote.get(name, ("", 0))
        return port == peer.port and address in addresses

    _shut(is_ours)


def connecting(peer: Endpoint, addresses: frozenset[str], before: frozenset[str]) -> frozenset[str]:
    """The names of the sockets, but those in `before`, that one of the peer's addresses has not answered yet."""
    return frozenset(
        name
        for name, (address, port), state in _remote_addresses()
        if state == _SYN_SENT and port == peer.port and address in addresses and name not in before
    ) & frozenset(sockets().values())


def shut(names: frozenset[str]) -> None:
    """End the sockets of these names; one that was connecting has failed then."""
    _shut(lambda name, _sock: name in names)


def _shut(wanted: Callable[[str, socket.socket], bool]) -> None:
    for descriptor, name in sockets().items():
        # The open may end, and its descriptor go or become another's, while we look.
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as sock:
            if name == f"socket:[{os.fstat(sock.fileno()).st_ino}]" and wanted(name, sock):
                sock.shutdown(socket.SHUT_RDWR)


def _is_libvirts(sock: socket.socket, peer: Endpoint) -> bool:
    if sock.family != socket.AF_UNIX:
        return False
    name = sock.getpeername()
    if not isinstance(name, str) or not name:
        return False
    return name == peer.path if peer.path else PurePosixPath(name).parent.name == _SOCKET_FOLDER


def _programs(folder: Path) -> Iterator[int]:
    """Yield this process's own children that were started from `folder`."""
    wanted = os.fsencode(folder)
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        # Any process but our own children may end while we look.
        with suppress(FileNotFoundError, ProcessLookupError):
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and wanted in (entry / "cmdline").read_bytes():
                yield int(entry.name)


def resolve(peer: Endpoint) -> frozenset[str]:
    """Return the numeric addresses of a tcp, tls or ssh peer; raises OSError when its name is unknown."""
    if peer.transport not in _PORTS:
        return frozenset()
    found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    return frozenset(str(address[0]).split("%")[0] for *_, address in found)


def _remote_addresses() -> Iterator[tuple[str, tuple[str, int], int]]:
    """Yield each TCP socket's kernel name, remote address and state, those still connecting included.

    (getpeername does not tell the peer of a socket that waits for an answer to its SYN.)
    """
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        path = Path("/proc/thread-self/net") / table
        if not path.exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            columns = line.split()
            address, _, port = columns[2].partition(":")
            yield f"socket:[{columns[9]}]", (_address(family, address), int(port, 16)), int(columns[3], 16)


def _address(family: socket.AddressFamily, words: str) -> str:
    # The kernel prints each 32-bit word in the machine's own byte order.
    numbers = [int(words[at : at + 8], 16) for at in range(0, len(words), 8)]
    return socket.inet_ntop(family, struct.pack(f"={len(numbers)}I", *numbers))
