"""What an image file is, told by its first bytes, before a host sees it.

An image can name other files of the host's (a backing file, an external data file, extents), which
QEMU would open and a guest could then read: `refusal` says which images must not come in.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from virt.errors import InvalidDefinition
from virt.words import gettext_noop

# As many bytes of a file's start as `inspect` wants to see.
HEAD_BYTES = 128 * 1024

_SECTOR = 512
_QCOW_MAGIC = b"QFI\xfb"
_QCOW_DATA_FILE_BIT = 1 << 2
_QCOW_DATA_FILE = 0x44415441
_QCOW3_HEADER_MIN = 104
_QED_BACKING_BIT = 1 << 0
_VMDK_OWN_KINDS = (b"monolithicsparse", b"streamoptimized")
_VMDK_PARENT = re.compile(rb"parentfilenamehint[ \t]*=?[ \t]*\"?([^\"\r\n]{0,1023})", re.IGNORECASE)


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
    for matches, kind, reader in _READERS:
        if matches(head):
            try:
                return reader(head, size)
            except struct.error:
                return ImageHead(kind, None, broken=True)
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
    version, offset, length, cluster_bits, virtual_size = struct.unpack_from(">IQIIQ", head, 4)
    backing = _backing(head, offset, length)
    if version == 1:
        return ImageHead(ImageFormat.QCOW, virtual_size, backing)
    foreign, header_length = False, 72
    if version >= 3:
        incompatible, _, _, _, header_length = struct.unpack_from(">QQQII", head, 72)
        foreign = bool(incompatible & _QCOW_DATA_FILE_BIT)
    broken = version not in (2, 3) or cluster_bits > 21 or (version == 3 and header_length < _QCOW3_HEADER_MIN)
    if broken:
        return ImageHead(ImageFormat.QCOW2, virtual_size, backing, foreign=foreign, broken=True)
    kinds, whole = _qcow_extensions(head, header_length, offset or 1 << cluster_bits)
    return ImageHead(
        ImageFormat.QCOW2, virtual_size, backing, foreign=foreign or _QCOW_DATA_FILE in kinds, broken=not whole
    )


def _qcow_extensions(head: bytes, start: int, end: int) -> tuple[set[int], bool]:
    """Return the header extensions' kinds, and whether their list came to its end within the head."""
    kinds: set[int] = set()
    at = start
    while at < end:
        if at + 8 > len(head):
            return kinds, False
        kind, length = struct.unpack_from(">II", head, at)
        if kind == 0:
            break
        kinds.add(kind)
        if at + 8 + length > end:
            return kinds, False
        at += 8 + (length + 7) // 8 * 8
    return kinds, True


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
    sectors, _, offset, length = struct.unpack_from("<QQQQ", head, 12)
    described = head[offset * _SECTOR : (offset + length) * _SECTOR] if offset else b""
    return ImageHead(
        ImageFormat.VMDK,
        sectors * _SECTOR,
        _vmdk_parent(head),
        # Without a size of its own it is a descriptor in disguise, whose extents are other files.
        foreign=sectors == 0 or not _keeps_its_data(described),
        broken=len(described) < length * _SECTOR,
    )


def _vmdk_cow(head: bytes, size: int) -> ImageHead:
    sectors = struct.unpack_from("<I", head, 12)[0]
    return ImageHead(ImageFormat.VMDK, sectors * _SECTOR, _vmdk_parent(head))


def _vmdk_descriptor(head: bytes, size: int) -> ImageHead:
    """A descriptor file has no data of its own: its extents are other files."""
    return ImageHead(ImageFormat.VMDK, None, _vmdk_parent(head), foreign=True)


def _vmdk_parent(head: bytes) -> str | None:
    """Return the parent's name, looked for everywhere: QEMU and libvirt do not heed where the
    header says the descriptor is."""
    found = _VMDK_PARENT.search(head)
    return None if found is None else found[1].decode("utf-8", "replace")


def _keeps_its_data(described: bytes) -> bool:
    """Say whether a descriptor inside an image speaks of that image alone (one without says nothing else)."""
    if not described:
        return True
    lines = [line.strip().lower() for line in described.rstrip(b"\0").splitlines()]
    extents = [line for line in lines if line.startswith((b"rw ", b"rdonly ", b"noaccess "))]
    kinds = [line.partition(b"=")[2].strip(b' "') for line in lines if line.startswith(b"createtype")]
    return len(extents) <= 1 and all(kind in _VMDK_OWN_KINDS for kind in kinds)


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
    version = struct.unpack_from(">H", head, 6)[0]
    if version != 1:
        return ImageHead(ImageFormat.LUKS, None)
    payload = struct.unpack_from(">I", head, 104)[0] * _SECTOR
    return ImageHead(ImageFormat.LUKS, max(0, size - payload))


def _iso(head: bytes, size: int) -> ImageHead:
    return ImageHead(ImageFormat.ISO, size)


_READERS: tuple[tuple[Callable[[bytes], bool], ImageFormat, Callable[[bytes, int], ImageHead]], ...] = (
    (lambda head: head.startswith(_QCOW_MAGIC), ImageFormat.QCOW2, _qcow),
    (lambda head: head.startswith(b"QED\0"), ImageFormat.QED, _qed),
    (lambda head: head.startswith(b"KDMV"), ImageFormat.VMDK, _vmdk_sparse),
    (lambda head: head.startswith(b"COWD"), ImageFormat.VMDK, _vmdk_cow),
    (_is_vmdk_descriptor, ImageFormat.VMDK, _vmdk_descriptor),
    (lambda head: head[64:68] == b"\x7f\x10\xda\xbe", ImageFormat.VDI, _vdi),
    (lambda head: head.startswith(b"conectix"), ImageFormat.VPC, _vpc),
    (lambda head: head.startswith(b"vhdxfile"), ImageFormat.VHDX, _vhdx),
    (lambda head: head.startswith(b"LUKS\xba\xbe"), ImageFormat.LUKS, _luks),
    (lambda head: head[0x8001:0x8006] == b"CD001", ImageFormat.ISO, _iso),
)
