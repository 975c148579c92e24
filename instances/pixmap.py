"""Pictures of screens as QEMU before 7.1 draws them (image/x-portable-pixmap), made PNG."""

import re
import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
# Its parts may stand apart by spaces, ends of lines and comments.
_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEAD = re.compile(rb"P6" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)" + _GAP + rb"255\s")
# A screen is asked for every few seconds: a larger file is cheaper than the time of a better one.
_LEVEL = 1


def png_of(pixmap: bytes) -> bytes:
    """The same picture as a PNG of 8 bits a colour. ValueError where it is no such pixmap, or cut short."""
    head = _HEAD.match(pixmap)
    if head is None:
        raise ValueError("not a pixmap of 8 bits a colour")
    width, height = int(head[1]), int(head[2])
    row, begin = 3 * width, head.end()
    if len(pixmap) - begin != row * height:
        raise ValueError("a pixmap of another size than it says")
    lines = b"".join(b"\0" + pixmap[at : at + row] for at in range(begin, len(pixmap), row))
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG + _part(b"IHDR", size) + _part(b"IDAT", zlib.compress(lines, _LEVEL)) + _part(b"IEND", b"")


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
