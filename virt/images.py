"""What an image file is, told by its first bytes, before a host sees it.

An image can name other files of the host's (a backing file, an external data file, extents), which
QEMU would open and a guest could then read: `refusal` says which images must not come in.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum

from virt.errors import InvalidDefinition
from virt.words import gettext_noop

# As many bytes of a file's start as `inspect` wants to see.
HEAD_BYTES = 128 * 1024

_SECTOR = 512
_QCOW_MAGIC = b"QFI\xfb"
_QCOW_DATA_FILE_BIT = 1 << 2
_QCOW_BACKING_FORMAT = 0xE2792ACA
_QCOW_DATA_FILE = 0x44415441
_QED_BACKING_BIT = 1 << 0
_VMDK_OWN_KINDS = ("monolithicsparse", "streamoptimized")


class ImageFormat(StrEnum):
    """Formats of disk images, in QEMU's words; iso is a raw image with a CD's file system."""

    RAW = "raw"
    ISO = "iso"
    QCOW = "qcow"
    QCOW2 = "qcow2"
    QED = "qed"
    VMDK = "vmdk"
    VDI = "vdi"
    VPC = "vpc"
    VHDX = "vhdx"
    LUKS = "luks"


@dataclass(frozen=True)
class ImageHead:
    """What an image's head tells.

    `virtual_size` is the disk's size in bytes, or None where the head does not tell it. `foreign`
    says that it keeps its data in another file, `broken` that the head is cut or contradicts itself.
    """

    format: ImageFormat
    virtual_size: int | None
    backing_file: str | None = None
    foreign: bool = False
    broken: bool = False


def inspect(head: bytes, size: int) -> ImageHead:
    """Return what an image is, from its first HEAD_BYTES (or all, if it has fewer) and its size."""
    readers = (
        (head.startswith(_QCOW_MAGIC), _qcow),
        (head.startswith(b"QED\0"), _qed),
        (head.startswith((b"KDMV", b"COWD")), _vmdk_sparse),
        (_is_vmdk_descriptor(head), _vmdk_descriptor),
        (head[64:68] == b"\x7f\x10\xda\xbe", _vdi),
        (head.startswith(b"conectix"), _vpc),
        (head.startswith(b"vhdxfile"), _vhdx),
        (head.startswith(b"LUKS\xba\xbe"), _luks),
        (head[0x8001:0x8006] == b"CD001", _iso),
    )
    for matches, reader in readers:
        if matches:
            try:
                return reader(head, size)
            except struct.error:
                return ImageHead(_FORMATS[reader.__name__], None, broken=True)
    return ImageHead(ImageFormat.RAW, size)


def refusal(head: ImageHead) -> InvalidDefinition | None:
    """Return why the image must not come to a host, or None where it may."""
    if head.backing_file is not None:
        return InvalidDefinition(
            gettext_noop("The image is laid over another one (%(backing)s)."),
            hint=gettext_noop("Make one image of both with qemu-img convert, and upload that."),
            params={"backing": head.backing_file},
        )
    if head.foreign:
        return InvalidDefinition(
            gettext_noop("The image keeps its data in other files."),
            hint=gettext_noop("Make one image of them with qemu-img convert, and upload that."),
        )
    if head.broken:
        return InvalidDefinition(
            gettext_noop("The image's head is damaged."),
            hint=gettext_noop("Check the file with qemu-img check, and upload it again."),
        )
    return None


def _qcow(head: bytes, size: int) -> ImageHead:
    version, offset, length, _, virtual_size = struct.unpack_from(">IQIIQ", head, 4)
    if version == 1:
        # The same magic, another layout: offset and length of the backing file, mtime, size.
        _, virtual_size = struct.unpack_from(">IQ", head, 20)
        return ImageHead(ImageFormat.QCOW, virtual_size, _backing(head, offset, length))
    foreign, header_length = False, 72
    if version >= 3:
        incompatible, _, _, _, header_length = struct.unpack_from(">QQQII", head, 72)
        foreign = bool(incompatible & _QCOW_DATA_FILE_BIT)
    names, whole = _qcow_extensions(head, header_length, offset)
    return ImageHead(
        ImageFormat.QCOW2,
        virtual_size,
        # A backing format without a backing file is harmless, but nobody writes it by accident.
        _backing(head, offset, length),
        foreign=foreign or _QCOW_DATA_FILE in names,
        broken=version not in (2, 3) or not whole,
    )


def _qcow_extensions(head: bytes, start: int, backing_offset: int) -> tuple[set[int], bool]:
    """Return the header extensions' kinds, and whether their list came to its end within the head."""
    kinds: set[int] = set()
    at = start
    while at + 8 <= len(head) and (not backing_offset or at < backing_offset):
        kind, length = struct.unpack_from(">II", head, at)
        if kind == 0:
            return kinds, True
        kinds.add(kind)
        at += 8 + (length + 7) // 8 * 8
    return kinds, bool(backing_offset) and at >= backing_offset


def _qed(head: bytes, size: int) -> ImageHead:
    features = struct.unpack_from("<Q", head, 16)[0]
    virtual_size, offset, length = struct.unpack_from("<QII", head, 48)
    backing = _backing(head, offset, length) if features & _QED_BACKING_BIT else None
    return ImageHead(ImageFormat.QED, virtual_size, backing)


def _backing(head: bytes, offset: int, length: int) -> str | None:
    """Return the backing file's name: any offset means that there is one, wherever it may be."""
    if offset == 0:
        return None
    return head[offset : offset + min(length, 1023)].decode("utf-8", "replace")


def _is_vmdk_descriptor(head: bytes) -> bool:
    return head.lstrip(b" \t\r\n").lower().startswith(b"# disk descriptorfile")


def _vmdk_sparse(head: bytes, size: int) -> ImageHead:
    if head.startswith(b"COWD"):
        return ImageHead(ImageFormat.VMDK, struct.unpack_from("<I", head, 12)[0] * _SECTOR)
    sectors, _, offset, length = struct.unpack_from("<QQQQ", head, 12)
    described = head[offset * _SECTOR : (offset + length) * _SECTOR] if offset else b""
    backing, own_kind, extents = _read_descriptor(described)
    # Without a descriptor inside, this is one extent of an image whose descriptor is elsewhere.
    foreign = bool(described) and (not own_kind or extents > 1)
    cut = bool(offset) and len(described) < length * _SECTOR
    return ImageHead(ImageFormat.VMDK, sectors * _SECTOR, backing, foreign=foreign, broken=cut)


def _vmdk_descriptor(head: bytes, size: int) -> ImageHead:
    """A descriptor file has no data of its own: its extents are other files."""
    backing, _, _ = _read_descriptor(head)
    return ImageHead(ImageFormat.VMDK, None, backing, foreign=True)


def _read_descriptor(described: bytes) -> tuple[str | None, bool, int]:
    """Return the parent's name, whether the kind is one in one file, and the number of extents."""
    backing, own_kind, extents = None, False, 0
    for line in described.rstrip(b"\0").decode("utf-8", "replace").splitlines():
        key, _, value = line.partition("=")
        word = key.strip().lower()
        if word == "parentfilenamehint":
            backing = value.strip().strip('"')
        elif word == "createtype":
            own_kind = value.strip().strip('"').lower() in _VMDK_OWN_KINDS
        elif word.startswith(("rw ", "rdonly ", "noaccess ")):
            extents += 1
    return backing, own_kind, extents


def _vdi(head: bytes, size: int) -> ImageHead:
    virtual_size = struct.unpack_from("<Q", head, 368)[0]
    # Type 4 is a differencing image, whose parent is known by its UUID alone.
    differs = struct.unpack_from("<I", head, 76)[0] == 4
    return ImageHead(ImageFormat.VDI, virtual_size, foreign=differs)


def _vpc(head: bytes, size: int) -> ImageHead:
    virtual_size = struct.unpack_from(">Q", head, 48)[0]
    differs = struct.unpack_from(">I", head, 60)[0] == 4
    return ImageHead(ImageFormat.VPC, virtual_size, foreign=differs)


def _vhdx(head: bytes, size: int) -> ImageHead:
    """Its size and parent stand behind the head; QEMU itself opens no VHDX that has a parent."""
    return ImageHead(ImageFormat.VHDX, None)


def _luks(head: bytes, size: int) -> ImageHead:
    payload = struct.unpack_from(">I", head, 104)[0] * _SECTOR
    return ImageHead(ImageFormat.LUKS, max(0, size - payload))


def _iso(head: bytes, size: int) -> ImageHead:
    return ImageHead(ImageFormat.ISO, size)


_FORMATS = {
    "_qcow": ImageFormat.QCOW2,
    "_qed": ImageFormat.QED,
    "_vmdk_sparse": ImageFormat.VMDK,
    "_vmdk_descriptor": ImageFormat.VMDK,
    "_vdi": ImageFormat.VDI,
    "_vpc": ImageFormat.VPC,
    "_vhdx": ImageFormat.VHDX,
    "_luks": ImageFormat.LUKS,
    "_iso": ImageFormat.ISO,
}
