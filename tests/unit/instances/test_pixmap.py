"""Screens of hosts with an old QEMU: the same picture as a PNG."""

import struct
import zlib

import pytest

from instances.pixmap import PNG, png_of

PIXELS = bytes(range(2 * 3 * 3))


def read_back(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and colours, each part's checksum looked at; rows are not filtered."""
    assert png.startswith(PNG)
    parts, at = {}, len(PNG)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(name + data),)
        parts[name] = data
        at += length + 12
    assert list(parts) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colours = struct.unpack_from(">IIBB", parts[b"IHDR"])
    assert (depth, colours) == (8, 2)
    lines, row = zlib.decompress(parts[b"IDAT"]), 1 + 3 * width
    assert {lines[at] for at in range(0, len(lines), row)} == {0}
    return width, height, b"".join(lines[at + 1 : at + row] for at in range(0, len(lines), row))


@pytest.mark.parametrize("head", [b"P6\n2 3\n255\n", b"P6 2 3 255 ", b"P6\n# QEMU\n2\n3\n255\n"])
def test_the_colours_stay(head: bytes) -> None:
    assert read_back(png_of(head + PIXELS)) == (2, 3, PIXELS)


@pytest.mark.parametrize("pixmap", [b"", b"P5\n2 3\n255\n" + PIXELS, b"P6\n2 3\n255\n" + PIXELS[:-1]])
def test_what_is_no_such_picture_is_refused(pixmap: bytes) -> None:
    with pytest.raises(ValueError, match="pixmap"):
        png_of(pixmap)
