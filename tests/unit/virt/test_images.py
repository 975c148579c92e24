"""Heads of images: what comes in, what is refused, and that no bytes break the reader."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virt.images import HEAD_BYTES, ImageFormat, inspect, refusal

GIB = 1024**3
MAGICS = [b"QFI\xfb", b"QED\0", b"KDMV", b"COWD", b"# Disk DescriptorFile\n", b"conectix", b"vhdxfile", b"LUKS\xba\xbe"]


def qcow2(*, version: int = 3, backing: bytes = b"", incompatible: int = 0, extensions: bytes = b"") -> bytes:
    header_length = 104 if version == 3 else 72
    extensions += struct.pack(">II", 0, 0)
    offset = header_length + len(extensions) if backing else 0
    head = struct.pack(">4sIQIIQ", b"QFI\xfb", version, offset, len(backing), 16, GIB) + bytes(40)
    if version == 3:
        head += struct.pack(">QQQII", incompatible, 0, 0, 4, header_length)
    return (head + extensions + backing).ljust(65536, b"\0")


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack(">II", kind, len(data)) + data.ljust((len(data) + 7) // 8 * 8, b"\0")


def vmdk(descriptor: str, *, sectors: int = 2048) -> bytes:
    text = descriptor.encode().ljust(10240, b"\0")
    head = struct.pack("<4sIIQQQQ", b"KDMV", 1, 3, sectors, 128, 1, 20).ljust(512, b"\0")
    return head + text


def refused(head: bytes) -> bool:
    return refusal(inspect(head, len(head))) is not None


@pytest.mark.parametrize("version", [2, 3])
def test_a_qcow2_that_stands_alone_comes_in(version: int) -> None:
    found = inspect(qcow2(version=version), 65536)
    assert (found.format, found.virtual_size) == (ImageFormat.QCOW2, GIB)
    assert refusal(found) is None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_qcow2_over_another_file_is_refused_and_says_which(version: int) -> None:
    error = refusal(inspect(qcow2(version=version, backing=b"/etc/shadow"), 65536))
    assert error is not None
    assert "/etc/shadow" in str(error)
    assert error.hint


def test_a_backing_file_named_beyond_the_head_is_refused() -> None:
    head = bytearray(qcow2())
    struct.pack_into(">QI", head, 8, 10 * GIB, 11)
    assert refused(bytes(head))


def test_a_qcow2_with_a_data_file_is_refused() -> None:
    assert refused(qcow2(incompatible=1 << 2))
    assert refused(qcow2(extensions=extension(0x44415441, b"/etc/shadow")))
    assert refused(qcow2(extensions=extension(0x6803F857, bytes(48)) + extension(0x44415441, b"x")))


def test_harmless_extensions_come_in() -> None:
    assert not refused(qcow2(extensions=extension(0x6803F857, bytes(48)) + extension(0xE2792ACA, b"qcow2")))


def test_extensions_that_lead_out_of_the_head_are_refused() -> None:
    assert refused(qcow2(extensions=struct.pack(">II", 0x12345678, 0x7FFFFFFF)))


def test_a_version_of_qcow2_that_nobody_knows_is_refused() -> None:
    head = bytearray(qcow2())
    struct.pack_into(">I", head, 4, 4)
    assert refused(bytes(head))


def test_a_qed_over_another_file_is_refused() -> None:
    head = struct.pack("<4sIIIQQQQQII", b"QED\0", 65536, 4, 1, 1, 0, 0, 65536, GIB, 512, 9).ljust(512, b"\0")
    assert refused(head + b"/etc/motd")
    alone = struct.pack("<4sIIIQQQQQII", b"QED\0", 65536, 4, 1, 0, 0, 0, 65536, GIB, 0, 0).ljust(512, b"\0")
    assert inspect(alone, 512).virtual_size == GIB
    assert not refused(alone)


def test_a_vmdk_in_one_file_comes_in() -> None:
    head = vmdk('# Disk DescriptorFile\nparentCID=ffffffff\ncreateType="monolithicSparse"\nRW 2048 SPARSE "a.vmdk"\n')
    found = inspect(head, len(head))
    assert (found.format, found.virtual_size) == (ImageFormat.VMDK, 1024 * 1024)
    assert refusal(found) is None


@pytest.mark.parametrize(
    "head",
    [
        vmdk('createType="monolithicSparse"\nparentFileNameHint="/etc/shadow"\nRW 2048 SPARSE "a"\n'),
        vmdk('createType="monolithicFlat"\nRW 2048 FLAT "/etc/shadow" 0\n'),
        vmdk('createType="monolithicSparse"\nRW 1 SPARSE "a"\nRW 1 FLAT "/etc/shadow" 0\n'),
        vmdk('createType="monolithicSparse"\n', sectors=0),
        b'# Disk DescriptorFile\ncreateType="monolithicFlat"\nRW 2048 FLAT "/etc/shadow" 0\n',
        b"COWD" + bytes(1000) + b"parentFileNameHint=/etc/shadow\n",
    ],
)
def test_a_vmdk_that_names_other_files_is_refused(head: bytes) -> None:
    assert refused(head)


def test_a_cd_is_told_from_other_raw_data() -> None:
    cd = bytes(0x8001) + b"CD001" + bytes(2042)
    assert inspect(cd, len(cd)).format is ImageFormat.ISO
    assert inspect(bytes(HEAD_BYTES), 5 * GIB).virtual_size == 5 * GIB
    assert not refused(cd)


def test_an_image_that_hides_as_a_cd_is_still_what_qemu_would_take_it_for() -> None:
    hybrid = bytearray(qcow2(backing=b"/etc/shadow"))
    hybrid[0x8001:0x8006] = b"CD001"
    assert refused(bytes(hybrid))


@given(st.sampled_from([b"", *MAGICS]), st.binary(max_size=600), st.integers(0, 2**63))
@settings(max_examples=400)
def test_no_bytes_break_the_reader(magic: bytes, rest: bytes, size: int) -> None:
    found = inspect(magic + rest, size)
    assert found.virtual_size is None or found.virtual_size >= 0
    refusal(found)


@given(st.integers(0, 65536))
def test_a_head_that_is_cut_anywhere_never_hides_a_backing_file(length: int) -> None:
    head = qcow2(backing=b"/etc/shadow")[:length]
    assert length < 4 or refused(head)
