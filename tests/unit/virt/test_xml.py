"""Typed XML: what is set is read back, and what no class declares stays as it was."""

from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from virt.errors import InvalidDefinition
from virt.xml.base import Element
from virt.xml.domain import Disk, DiskBus, Domain, Interface, Source
from virt.xml.fields import Child, Children, Choice, Flag, Int, Present, Size, Text

GOLDEN = Path(__file__).parent / "golden"

# What XML 1.0 can hold: no control characters and no surrogates.
words = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1)
numbers = st.integers(0, 2**62)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Leaf(Element):
    tag = "leaf"
    name = Text("@name")
    text = Text("")


class Tree(Element):
    tag = "tree"
    name = Text("name")
    deep = Text("a/b/@c")
    beside = Text("a/b/@d")
    number = Int("number")
    flag = Flag("@flag")
    switch = Flag("switch/@state", words=("on", "off"))
    size = Size("size", unit="KiB")
    colour = Choice("a/@colour", Colour)
    mark = Present("marks/mark")
    leaf = Child("leaf", Leaf)
    leaves = Children("leaves/leaf", Leaf)


optional = st.none() | words
trees = st.fixed_dictionaries(
    {
        "name": optional,
        "deep": optional,
        "beside": optional,
        "number": st.none() | numbers,
        "flag": st.none() | st.booleans(),
        "switch": st.none() | st.booleans(),
        "size": st.none() | numbers,
        "colour": st.none() | st.sampled_from(Colour),
        "mark": st.booleans(),
    }
)


@given(trees)
def test_what_is_set_is_read_back(values: dict[str, object]) -> None:
    tree = Tree.parse(Tree(**values).to_xml())
    assert {name: getattr(tree, name) for name in values} == values


@given(trees)
def test_setting_everything_to_nothing_leaves_nothing(values: dict[str, object]) -> None:
    tree = Tree(**values)
    for name in values:
        setattr(tree, name, False if name == "mark" else None)
    assert etree.tostring(tree.node) == b"<tree/>"


@given(st.lists(words), words)
def test_lists_keep_their_order_and_are_edited_in_place(names: list[str], added: str) -> None:
    tree = Tree(leaves=[Leaf(name=name) for name in names])
    tree.leaves.append(Leaf(name=added))
    assert [leaf.name for leaf in Tree.parse(tree.to_xml()).leaves] == [*names, added]
    tree.leaves.remove(tree.leaves[0])
    assert [leaf.name for leaf in tree.leaves] == [*names, added][1:]


@given(trees)
def test_what_is_not_declared_stays(values: dict[str, object]) -> None:
    odd = "<q:x xmlns:q='urn:q' q:y='1'><!-- kept --><![CDATA[<raw>]]></q:x>"
    tree = Tree.parse(f"<tree z='1' b='2' a='3'><!-- first -->{odd}<a other='kept'/></tree>")
    for name, value in values.items():
        setattr(tree, name, value)
    written = tree.to_xml()
    assert list(etree.fromstring(written).attrib)[:3] == ["z", "b", "a"]
    assert "<!-- first -->" in written
    assert '<q:x xmlns:q="urn:q" q:y="1"><!-- kept --><![CDATA[<raw>]]></q:x>' in written
    assert 'other="kept"' in written


def test_a_child_is_put_replaced_and_taken_away() -> None:
    tree = Tree(name="x", leaf=Leaf(name="first"))
    tree.leaf = Leaf(name="second")
    assert tree.leaf is not None
    assert tree.leaf.name == "second"
    tree.leaf = None
    assert tree.to_xml() == "<tree>\n  <name>x</name>\n</tree>"


def test_new_elements_come_in_the_order_of_the_class() -> None:
    tree = Tree(number=3)
    tree.name = "late"
    tree.size = 2048
    assert [child.tag for child in tree.node] == ["name", "number", "size"]


def test_a_new_element_takes_on_the_layout_around_it() -> None:
    tree = Tree.parse("<tree>\n  <name>x</name>\n</tree>")
    tree.number = 5
    assert tree.to_xml() == "<tree>\n  <name>x</name>\n  <number>5</number>\n</tree>"
    tree.name = None
    tree.number = None
    assert "".join(tree.to_xml().split()) in ("<tree></tree>", "<tree/>")


def test_words_that_we_do_not_know_are_read_as_none_and_kept() -> None:
    tree = Tree.parse("<tree flag='maybe'><number>many</number><size unit='furlong'>3</size><a colour='mauve'/></tree>")
    assert (tree.flag, tree.number, tree.size, tree.colour) == (None, None, None, None)
    assert 'colour="mauve"' in tree.to_xml()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("<size>1</size>", 1024),
        ("<size unit='bytes'>1</size>", 1),
        ("<size unit='GiB'>2</size>", 2 * 1024**3),
        ("<size unit='GB'>2</size>", 2 * 1000**3),
        ("<size unit='M'>1</size>", 1024**2),
    ],
)
def test_sizes_are_bytes(text: str, size: int) -> None:
    assert Tree.parse(f"<tree>{text}</tree>").size == size


def test_a_document_type_is_refused_and_no_entity_is_opened() -> None:
    bomb = '<!DOCTYPE tree [<!ENTITY x SYSTEM "file:///etc/passwd">]><tree><name>&x;</name></tree>'
    with pytest.raises(InvalidDefinition):
        Tree.parse(bomb)


@pytest.mark.parametrize("text", ["", "<tree>", "<other/>", "no xml", "<tree>\x00</tree>"])
def test_what_is_no_document_of_the_kind_is_refused(text: str) -> None:
    with pytest.raises(InvalidDefinition):
        Tree.parse(text)


@pytest.mark.parametrize("text", ["a\x00b", "bell\x07"])
def test_characters_that_xml_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(InvalidDefinition):
        Tree(name=text)


def test_markup_in_a_name_stays_text() -> None:
    domain = Domain(name="</name><evil/>", title="'\"&")
    assert Domain.parse(domain.to_xml()).name == "</name><evil/>"
    assert Domain.parse(domain.to_xml()).title == "'\"&"


def test_a_misspelt_field_is_an_error() -> None:
    with pytest.raises(TypeError):
        Disk(tarjet="vda")


def test_editing_a_real_guest_changes_only_what_was_asked() -> None:
    """golden/domain-edit-in.xml to golden/domain-edit-out.xml: a guest with much that we do not know."""
    domain = Domain.parse((GOLDEN / "domain-edit-in.xml").read_text())
    domain.title = "Renamed"
    domain.memory_bytes = 2 * 1024**3
    domain.vcpus = 4
    disk, cdrom = domain.disks
    disk.bus = DiskBus.SCSI
    cdrom.source = None
    domain.interfaces.append(Interface(type="network", network="lan", model="virtio"))
    domain.disks.append(Disk(type="file", source=Source(file="/srv/new.qcow2"), target="vdb"))
    assert domain.to_xml() + "\n" == (GOLDEN / "domain-edit-out.xml").read_text()
