"""Every declared field, written and read in what libvirt itself wrote: nothing else changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.unit.virt.golden_files import FILES, classes, document, documents, places, within
from virt.xml.base import Element, Node, find
from virt.xml.fields import Child, Children, Choice, Flag, Int, Present, Size, Text

words = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1)
FIELDS = [(kind, name) for kind in classes() for name in kind.field_names()]


def values(field: Any, draw: st.DrawFn) -> Any:
    """Something that can be put into a field; None to take out what is there."""
    match field:
        case Present():
            return draw(st.booleans())
        case Children():
            return [filled(field.kind, draw) for _ in range(draw(st.integers(0, 3)))]
        case Child():
            return draw(st.sampled_from([None, filled(field.kind, draw)]))
        case Text():
            kind = words
        case Flag():
            kind = st.booleans()
        case Choice():
            kind = st.sampled_from(field.words)
        case Int():
            kind = st.integers(-(2**31), 2**62)
        case Size():
            kind = st.integers(0, 2**62)
    # An element's own text is at least empty.
    return draw(st.none() | kind if field.path else kind)


def filled(kind: type[Element], draw: st.DrawFn) -> Element:
    """A new element with one of its texts set."""
    texts = [name for name in kind.field_names() if isinstance(getattr(kind, name), Text)]
    return kind(**{draw(st.sampled_from(texts)): draw(words)}) if texts else kind()


def marks(root: Node, changed: set[Node]) -> Iterator[tuple[Node, str, str]]:
    """Every text, attribute, comment and empty element in order, except those of the nodes in `changed`."""
    for node in root.iter():
        if node not in changed:
            yield node, "", str(node.tag)
            yield from ((node, f"@{name}", str(value)) for name, value in node.attrib.items())
            if (node.text or "").strip():
                yield node, "text", str(node.text)
        if (node.tail or "").strip():
            yield node, "tail", str(node.tail)


def touched(owner: Element, field: Any, value: Any) -> set[Node]:
    """The nodes that a change of the field may change: at its path, below if it goes, above if they are left empty."""
    found = [owner.node]
    for depth in range(1, len(field.steps) + 1):
        node = find(owner.node, field.steps[:depth])
        if node is not None:
            found.append(node)
    if isinstance(field, Children):
        parent = find(owner.node, field.steps[:-1])
        gone = [] if parent is None else parent.findall(field.steps[-1])
        return {*found[1:], *(node for top in gone for node in top.iter())}
    there = len(found) == len(field.steps) + 1
    whole = isinstance(field, Child | Present) or (value is None and field.attribute is None)
    below = set(found[-1].iter()) if there and whole and field.steps else set()
    return set(found[1:]) | below


def expected_attributes(owner: Element, field: Any) -> dict[Node, dict[str, str]]:
    """The attributes of the nodes on the field's path, without the one that the field is."""
    found = {}
    for depth in range(len(field.steps) + 1):
        node = find(owner.node, field.steps[:depth])
        if node is not None:
            ours = ("unit",) if isinstance(field, Size) else (field.attribute,)
            last = depth == len(field.steps)
            found[node] = {name: text for name, text in node.attrib.items() if not (last and name in ours)}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_read_is_written_as_it_was(path: Path) -> None:
    assert etree.canonicalize(document(path).to_xml()) == etree.canonicalize(path.read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_putting_back_what_is_there_changes_nothing(path: Path) -> None:
    for root in documents(path):
        before = root.to_xml()
        for element in within(root):
            for name in element.field_names():
                value = getattr(element, name)
                if value is not None and not isinstance(getattr(type(element), name), Children):
                    setattr(element, name, value)
        assert root.to_xml() == before


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda part: part if isinstance(part, str) else part.__name__)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_change_of_a_field_changes_that_alone(kind: type[Element], name: str, data: st.DataObject) -> None:
    field = getattr(kind, name)
    root, owner = data.draw(st.sampled_from(places()[kind])).fresh()
    value = values(field, data.draw)
    changed = touched(owner, field, value)
    attributes = expected_attributes(owner, field)
    every = set(root.node.iter())
    before = list(marks(root.node, {*changed, owner.node}))

    setattr(owner, name, value)

    new = set(root.node.iter()) - every
    assert list(marks(root.node, {*changed, owner.node, *new})) == before
    for node, kept in attributes.items():
        if node is owner.node or node.getparent() is not None:
            now = dict(node.attrib)
            assert {key: now.get(key) for key in kept} == kept
    read = getattr(owner, name)
    assert (list(read) if isinstance(field, Children) else read) == value
    again = type(root).parse(root.to_xml())
    assert etree.canonicalize(again.to_xml()) == etree.canonicalize(root.to_xml())
