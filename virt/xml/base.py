"""The declarative layer: a class names the parts of an element that we use, by path.

    class Disk(Element):
        tag = "disk"
        target = Text("target/@dev")
        bus = Choice("target/@bus", DiskBus)

Reading a field reads the tree, setting it edits the tree in place, so that attributes, elements,
comments, CDATA and namespaces that no class declares stay as they were. A path is element names
and at the end perhaps an attribute (`os/type/@arch`, `name`, `@type`); an empty path is the element's text.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from lxml import etree

from virt.errors import InvalidDefinition
from virt.words import gettext_noop

Node = etree._Element


def _parser() -> etree.XMLParser[Node]:
    """Return a parser that resolves and fetches nothing, and drops nothing."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=False)


def parse_node(text: str) -> Node:
    """Return the root of a document; InvalidDefinition if it is broken or has a document type."""
    try:
        node = etree.fromstring(text.encode(), _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidDefinition(gettext_noop("This is not well-formed XML."), libvirt=str(error)) from error
    if node.getroottree().docinfo.internalDTD is not None:
        raise InvalidDefinition(gettext_noop("A document type declaration is not allowed here."))
    return node


class Element:
    """An XML element of libvirt's. Subclasses set `tag` and declare fields."""

    tag: ClassVar[str]
    # The order in which new children are put: that of the declarations.
    _order: ClassVar[dict[str, int]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        order: dict[str, int] = {}
        for base in reversed(cls.__mro__):
            for field in vars(base).values():
                step = getattr(field, "first_step", "")
                if step:
                    order.setdefault(step, len(order))
        cls._order = order

    def __init__(self, node: Node | None = None, **values: Any) -> None:
        """Wrap `node`, or make a new element; `values` are set as fields."""
        self.node: Node = etree.Element(self.tag) if node is None else node
        self._built = node is None
        for name, value in values.items():
            if name not in self.field_names():
                raise TypeError(f"{type(self).__name__} has no field {name}")
            setattr(self, name, value)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Return the names of the declared fields."""
        return tuple(name for base in cls.__mro__ for name, field in vars(base).items() if hasattr(field, "path"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a document; InvalidDefinition if it is not well-formed or has another root."""
        node = parse_node(text)
        if node.tag != cls.tag:
            raise InvalidDefinition(
                gettext_noop("This is a <%(found)s>, where a <%(wanted)s> is expected."),
                params={"found": str(node.tag), "wanted": cls.tag},
            )
        return cls(node)

    def to_xml(self) -> str:
        """Write the element; one that was parsed keeps its layout, one that was built is indented."""
        node = self.node
        if self._built:
            node = parse_node(etree.tostring(node, encoding="unicode", with_tail=False))
            etree.indent(node)
        return etree.tostring(node, encoding="unicode", with_tail=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        return etree.tostring(self.node, method="c14n") == etree.tostring(other.node, method="c14n")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({etree.tostring(self.node, encoding='unicode', with_tail=False)})"


def find(node: Node, steps: tuple[str, ...]) -> Node | None:
    """Return the first element at the path below `node`, or None."""
    for step in steps:
        found = node.find(step)
        if found is None:
            return None
        node = found
    return node


def find_all(node: Node, steps: tuple[str, ...]) -> Iterator[Node]:
    """Yield every element at the path below `node`."""
    parent = find(node, steps[:-1])
    if parent is not None:
        yield from parent.iterchildren(steps[-1])


def ensure(owner: Element, steps: tuple[str, ...]) -> Node:
    """Return the element at the path, made with what is missing on the way."""
    node = owner.node
    for depth, step in enumerate(steps):
        found = node.find(step)
        if found is None:
            found = etree.Element(step)
            insert(node, found, owner._order if depth == 0 else {})
        node = found
    return node


def insert(parent: Node, child: Node, order: dict[str, int]) -> None:
    """Put `child` behind the last sibling that is declared no later, with the siblings' layout."""
    place = order.get(str(child.tag), len(order))
    at = len(parent)
    for index, sibling in enumerate(parent):
        if order.get(str(sibling.tag), -1) > place:
            at = index
            break
    if len(parent) == 0:
        if parent.text is not None and not parent.text.strip():
            parent.text = None
        parent.append(child)
        return
    if at == len(parent):
        last = parent[-1]
        child.tail = last.tail
        last.tail = parent.text if _is_layout(parent.text) else None
    else:
        child.tail = parent[at - 1].tail if at else parent.text
    parent.insert(at, child)


def _is_layout(text: str | None) -> bool:
    return text is not None and "\n" in text and not text.strip()


def remove(owner: Node, steps: tuple[str, ...], attribute: str | None = None) -> None:
    """Remove the attribute or element at the path, and what is left empty on the way to it."""
    chain = [owner]
    for step in steps:
        found = chain[-1].find(step)
        if found is None:
            return
        chain.append(found)
    if attribute is not None:
        if chain[-1].attrib.pop(attribute, None) is None:
            return
    elif len(chain) > 1:
        detach(chain.pop())
    else:
        owner.text = None
    while len(chain) > 1 and _is_empty(chain[-1]):
        detach(chain.pop())


def detach(node: Node) -> None:
    """Take `node` out of its parent, and leave the text around it in place."""
    parent = node.getparent()
    if parent is None:
        return
    previous, tail = node.getprevious(), node.tail
    last = node.getnext() is None
    parent.remove(node)
    if previous is not None:
        previous.tail = tail if last else previous.tail
    elif last and _is_layout(parent.text):
        parent.text = None


def _is_empty(node: Node) -> bool:
    return len(node) == 0 and not node.attrib and not (node.text or "").strip()
