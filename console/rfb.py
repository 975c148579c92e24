"""The first words of VNC's protocol (RFB, RFC 6143), to learn what a display asks for."""

import socket
import struct

from console.refusals import Encrypted, NoWay

VERSION_LENGTH = 12
OLDEST = b"RFB 003.003\n"
SPOKEN = b"RFB 003.008\n"
# What noVNC can do for any display: nothing, and a password.
NONE, PASSWORD = 1, 2


def require_open(display: socket.socket) -> None:
    """Look whether a browser can be shown the display, which is of no more use then.

    Raises Encrypted; NoWay where no VNC server answers in the socket's time.
    """
    if not {NONE, PASSWORD} & _offered(display):
        raise Encrypted()


def require_heard(display: socket.socket) -> None:
    """Wait for the display's first word, and leave it unread. Raises NoWay."""
    try:
        heard = display.recv(1, socket.MSG_PEEK)
    except OSError as error:
        raise NoWay(libvirt=str(error)) from error
    if not heard:
        raise NoWay()


def _offered(display: socket.socket) -> set[int]:
    """The security types that the server offers."""
    try:
        version = _read(display, VERSION_LENGTH)
        if not version.startswith(b"RFB "):
            raise NoWay()
        display.sendall(min(version, SPOKEN))
        if version == OLDEST:
            return {struct.unpack(">I", _read(display, 4))[0]}
        return set(_read(display, _read(display, 1)[0]))
    except OSError as error:
        raise NoWay(libvirt=str(error)) from error


def _read(display: socket.socket, count: int) -> bytes:
    heard = b""
    while len(heard) < count:
        more = display.recv(count - len(heard))
        if not more:
            raise NoWay()
        heard += more
    return heard
