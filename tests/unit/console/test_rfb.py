"""What the console's service learns of a display before a browser is shown it."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from console.refusals import Encrypted, NoWay
from console.rfb import require_heard, require_open

SECONDS = 5.0
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(SECONDS)
        theirs.settimeout(SECONDS)
        yield ours, theirs


def server(display: socket.socket, version: bytes, types: bytes) -> Thread:
    """A server that says its version, hears the client's, and says what it offers."""

    def serve() -> None:
        display.sendall(version)
        if display.recv(12):
            display.sendall(types)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("version", "types"),
    [
        (b"RFB 003.008\n", b"\x01\x01"),
        (b"RFB 003.008\n", b"\x02\x13\x02"),
        (b"RFB 003.007\n", b"\x01\x02"),
        (b"RFB 003.003\n", b"\x00\x00\x00\x02"),
        (b"RFB 003.889\n", b"\x02\x1e\x02"),
    ],
)
def test_a_display_without_or_with_a_password_is_shown(pair: Pair, version: bytes, types: bytes) -> None:
    thread = server(pair[1], version, types)
    require_open(pair[0])
    thread.join(SECONDS)


@pytest.mark.parametrize("types", [b"\x01\x13", b"\x02\x13\x14"])
def test_a_display_that_wants_tls_or_sasl_is_refused(pair: Pair, types: bytes) -> None:
    server(pair[1], b"RFB 003.008\n", types)
    with pytest.raises(Encrypted):
        require_open(pair[0])


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"RFB 00"])
def test_what_is_no_display_is_not_shown(pair: Pair, said: bytes) -> None:
    pair[1].sendall(said)
    pair[1].close()
    with pytest.raises(NoWay):
        require_open(pair[0])


def test_a_displays_first_word_is_left_to_the_browser(pair: Pair) -> None:
    pair[1].sendall(b"RFB 003.008\n")
    require_heard(pair[0])
    assert pair[0].recv(12) == b"RFB 003.008\n"
    pair[1].close()
    with pytest.raises(NoWay):
        require_heard(pair[0])
