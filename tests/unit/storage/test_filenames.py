"""Which names a file may bring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.filenames import LONGEST_BYTES, fault_of
from virt.xml.storage import Volume


@pytest.mark.parametrize(
    "name",
    ["debian-12.8.0-amd64-DVD-1.iso", "安装盘.iso", "a", "win 2022 (eval).iso", "Ünïcode.qcow2", "x" * 255, "💿.iso"],
)
def test_it_takes_names_that_people_give(name: str) -> None:
    assert fault_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "../etc/passwd", "a/b.iso", "..", ".", ".hidden", "a..b", "nul\0.iso", "line\nbreak", "bell\x07",
        "x" * 256, "x" * 300, "安" * 86, " padded.iso", "padded.iso ", "half\ud800.iso", "turned\u202eosi.exe",
        "separated\u2028.iso", "no\uffffcharacter",
    ],
)  # fmt: skip
def test_it_refuses_names_that_are_none(name: str) -> None:
    assert fault_of(name)


@given(st.text(st.characters(codec=None), max_size=300))
def test_what_it_takes_is_one_step_of_a_path_that_xml_can_hold(name: str) -> None:
    if fault_of(name) is None:
        assert "/" not in name
        assert "\0" not in name
        assert name not in (".", "..")
        assert len(name.encode()) <= LONGEST_BYTES
        assert Volume.parse(Volume(name=name).to_xml()).name == name
