"""Peers that hang up at once are known before libvirt opens them.

For a connection that its event loop finds closed before the open has said its first word, libvirt keeps memory and
a descriptor for good (tried with 9.0). So a peer that broke an open is asked first whether it would stay; one that
never did is not.
"""

import socket

from virt.transport import Endpoint

_CONNECT_SECONDS = 1.0
# libvirtd says nothing before it is spoken to: who hangs up does so at once.
_STAYS_SECONDS = 0.1

_broke: set[Endpoint] = set()


def remember(peer: Endpoint) -> None:
    """The peer broke the connection while it opened."""
    if peer.transport in ("tcp", "tls") or (peer.transport == "unix" and peer.path):
        _broke.add(peer)


def forget(peer: Endpoint) -> None:
    """The peer has let itself be opened."""
    _broke.discard(peer)


def hangs_up(peer: Endpoint) -> bool:
    """Whether a peer that broke its last open hangs up at once still."""
    if peer not in _broke:
        return False
    try:
        with _connected(peer) as sock:
            sock.settimeout(_STAYS_SECONDS)
            return not sock.recv(1)
    except ConnectionResetError:
        return True
    except OSError:
        # It stays, or cannot be reached at all, which libvirt tells in its own words.
        return False


def _connected(peer: Endpoint) -> socket.socket:
    if peer.transport != "unix":
        return socket.create_connection((peer.host, peer.port), _CONNECT_SECONDS)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(_CONNECT_SECONDS)
        sock.connect(peer.path)
    except BaseException:
        sock.close()
        raise
    return sock
