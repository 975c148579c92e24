"""A guest's screen, as a browser takes it from the console's WebSocket."""

import struct
import time

import pytest
import websockets
from websockets.sync.client import ClientConnection

from tests.door import Door

RAW_ENCODING = 0


class Screen:
    """The few words of RFB 3.8 that it takes to see a frame."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard = b""

    def read(self, count: int) -> bytes:
        while len(self.heard) < count:
            message = self.connection.recv(timeout=10)
            assert isinstance(message, bytes)
            self.heard += message
        taken, self.heard = self.heard[:count], self.heard[count:]
        return taken

    def begin(self) -> tuple[int, int]:
        """Shake hands without a password; the display's width and height."""
        assert self.read(12) == b"RFB 003.008\n"
        self.connection.send(b"RFB 003.008\n")
        assert 1 in self.read(self.read(1)[0])
        self.connection.send(b"\x01")
        assert self.read(4) == bytes(4)
        self.connection.send(b"\x01")
        self.width, self.height, pixel_format, name = struct.unpack(">HH16sI", self.read(24))
        self.pixel_bytes = pixel_format[0] // 8
        self.read(name)
        self.connection.send(struct.pack(">BxHi", 2, 1, RAW_ENCODING))
        return self.width, self.height

    def press(self, key: int) -> None:
        """Press a key, by its X11 number."""
        self.connection.send(struct.pack(">BBHI", 4, 1, 0, key))

    def frame(self) -> int:
        """Ask for the whole picture and take it; its bytes."""
        self.connection.send(struct.pack(">BBHHHH", 3, 0, 0, 0, self.width, self.height))
        _, rectangles = struct.unpack(">BxH", self.read(4))
        count = 0
        for _ in range(rectangles):
            _, _, width, height, encoding = struct.unpack(">HHHHi", self.read(12))
            assert encoding == RAW_ENCODING
            count += len(self.read(width * height * self.pixel_bytes))
        return count


def close_code(connection: ClientConnection, seconds: float = 10) -> int:
    """How the server ends the connection, within `seconds`."""
    until = time.monotonic() + seconds
    with pytest.raises(websockets.ConnectionClosed) as ended:
        while time.monotonic() < until:
            connection.recv(timeout=seconds)
    assert ended.value.rcvd, "the connection broke"
    return ended.value.rcvd.code


def shows_the_whole_screen(door: Door) -> bool:
    """Whether a frame has all of the screen; not while the guest's firmware changes to another mode."""
    with door.open(door.token(door.alice).token, cookie=door.alice.session) as connection:
        screen = Screen(connection)
        width, height = screen.begin()
        return screen.frame() == width * height * screen.pixel_bytes
