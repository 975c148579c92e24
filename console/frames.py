"""What a display says, as WebSocket frames that the kernel passes on: no byte of it comes into this process."""

import fcntl
import os
import socket
import struct
import sys
import termios
from types import TracebackType
from typing import Self

FRAME_BYTES = 2**18
BINARY = 0x82  # one whole binary message; a server's are not masked


class Frames:
    """The way from `display` to `client`, both blocking: a pipe, since splice(2) moves bytes into or out of one."""

    def __init__(self, display: socket.socket, client: socket.socket) -> None:
        self.display, self.client = display, client
        self.taken, self.given = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self.taken)
        os.close(self.given)

    def pass_on(self) -> bool:
        """Send what there is to read as one frame; False at the display's end. Raises ConnectionError."""
        size = min(unread(self.display), FRAME_BYTES)
        if not size:
            return not is_at_its_end(self.display)
        piped = os.write(self.given, head(size))
        while size:
            moved = os.splice(self.display.fileno(), self.given, size)
            if not moved:
                raise ConnectionAbortedError("a display took back what it had sent")
            size -= moved
            piped += moved
            while piped:
                piped -= os.splice(self.taken, self.client.fileno(), piped)
        return True


def unread(peer: socket.socket) -> int:
    """How many bytes `peer` gives at once."""
    count = fcntl.ioctl(peer, termios.FIONREAD, bytes(4))
    return int.from_bytes(count, sys.byteorder)


def is_at_its_end(peer: socket.socket) -> bool:
    """Whether `peer`, said to be ready, has nothing more to say. Raises ConnectionError."""
    try:
        return not peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False


def head(size: int) -> bytes:
    """The head of a frame of `size` bytes (RFC 6455, 5.2)."""
    if size < 126:
        return struct.pack(">BB", BINARY, size)
    if size < 2**16:
        return struct.pack(">BBH", BINARY, 126, size)
    return struct.pack(">BBQ", BINARY, 127, size)
