"""What a browser hears of a display."""

import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from console.frames import FRAME_BYTES, Frames, head

SECONDS = 5.0


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(SECONDS)
        yield ours, theirs


def frame_of(heard: BinaryIO) -> Frame:
    def exactly(count: int) -> Generator[None, None, bytes]:
        yield from ()
        return heard.read(count)

    parsing = Frame.parse(exactly, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    frame = parsed.value.value
    assert isinstance(frame, Frame)
    return frame


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=8).map(b"".join), st.integers(1, 2000))
@example(b"x" * 125, 1)
@example(b"x" * 126, 1)
@example(b"x" * 65535, 1)
@example(b"x" * 65536, 1)
@example(b"abcdefg" * 50_000, 1)
@example(b"abcdefg" * 1000, 300)
def test_a_browser_hears_what_the_display_says(words: bytes, times: int) -> None:
    said = words * min(times, 2**20 // len(words) + 1)
    with pair() as (display, screen), pair() as (client, browser), Frames(display, client) as frames:

        def speak() -> None:
            screen.sendall(said)
            screen.shutdown(socket.SHUT_WR)

        def pass_all_on() -> None:
            while frames.pass_on():
                pass
            client.shutdown(socket.SHUT_WR)

        threads = [Thread(target=work, daemon=True) for work in (speak, pass_all_on)]
        for thread in threads:
            thread.start()
        heard = b""
        with browser.makefile("rb") as reader:
            while len(heard) < len(said):
                frame = frame_of(reader)
                assert (frame.opcode, frame.fin) == (Opcode.BINARY, True)
                assert 0 < len(frame.data) <= FRAME_BYTES
                heard += frame.data
            assert reader.read() == b""
        for thread in threads:
            thread.join(SECONDS)
    assert heard == said


@given(st.integers(0, 2**40))
def test_a_frames_head_says_its_length(size: int) -> None:
    start = head(size)
    assert start[0] == 0x80 | Opcode.BINARY
    lengths = {2: start[1], 4: int.from_bytes(start[2:]), 10: int.from_bytes(start[2:])}
    assert lengths[len(start)] == size
    assert (len(start) == 2) == (size < 126)
    assert (len(start) == 4) == (126 <= size < 2**16)


def test_a_browser_that_is_gone_is_told() -> None:
    with pair() as (display, screen), pair() as (client, browser), Frames(display, client) as frames:
        browser.close()
        screen.sendall(b"hello")
        with pytest.raises(ConnectionError):
            frames.pass_on()


def test_a_display_that_has_nothing_to_say_after_all_is_waited_for() -> None:
    with pair() as (display, _), pair() as (client, _), Frames(display, client) as frames:
        assert frames.pass_on()
