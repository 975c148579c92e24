"""The kinds of field that an Element declares."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Generic, Self, TypeVar, overload

from virt.errors import InvalidDefinition
from virt.words import gettext_noop
from virt.xml.base import Element, Node, detach, ensure, find, find_all, insert, remove

T = TypeVar("T")
E = TypeVar("E", bound=Element)
C = TypeVar("C", bound=StrEnum)

_POWERS = ("", "K", "M", "G", "T", "P", "E")
# libvirt's words for units: KiB, K and k are 1024; KB is 1000.
_UNITS = {
    "b": 1,
    "bytes": 1,
    **{power: 1024**exponent for exponent, power in enumerate(_POWERS) if power},
    **{f"{power}iB": 1024**exponent for exponent, power in enumerate(_POWERS) if power},
    **{f"{power}B": 1000**exponent for exponent, power in enumerate(_POWERS) if power},
    "k": 1024,
}


class _Path:
    """A path below an element: the steps, and the attribute at its end if there is one."""

    def __init__(self, path: str) -> None:
        self.path = path
        steps = path.split("/") if path else []
        self.attribute = steps.pop()[1:] if path.rpartition("/")[2].startswith("@") else None
        self.steps = tuple(steps)
        self.first_step = steps[0] if steps else ""

    def read(self, owner: Element) -> str | None:
        node = find(owner.node, self.steps)
        if node is None:
            return None
        if self.attribute is not None:
            return node.get(self.attribute)
        return node.text or ""

    def write(self, owner: Element, text: str | None) -> None:
        if text is None:
            remove(owner.node, self.steps, self.attribute)
            return
        try:
            node = ensure(owner, self.steps)
            if self.attribute is None:
                node.text = text
            else:
                node.set(self.attribute, text)
        except ValueError as error:
            raise InvalidDefinition(
                gettext_noop("The text has characters that XML cannot hold."), libvirt=str(error)
            ) from error


class _Field(_Path, Generic[T]):
    """A value at a path; None where there is nothing, and setting None removes it."""

    @overload
    def __get__(self, owner: None, kind: type[Element]) -> Self: ...
    @overload
    def __get__(self, owner: Element, kind: type[Element]) -> T | None: ...
    def __get__(self, owner: Element | None, kind: type[Element]) -> Self | T | None:
        if owner is None:
            return self
        text = self.read(owner)
        return None if text is None else self.load(text)

    def __set__(self, owner: Element, value: T | None) -> None:
        self.write(owner, None if value is None else self.dump(value))

    def load(self, text: str) -> T | None:
        raise NotImplementedError

    def dump(self, value: T) -> str:
        return str(value)


class Text(_Field[str]):
    """Text of an element or attribute."""

    def load(self, text: str) -> str:
        return text


class Int(_Field[int]):
    """A whole number; None where the document holds something else."""

    def load(self, text: str) -> int | None:
        digits = text.strip()
        return int(digits) if digits.isascii() and digits.removeprefix("-").isdigit() else None


class Flag(_Field[bool]):
    """yes or no (or another pair of words)."""

    def __init__(self, path: str, words: tuple[str, str] = ("yes", "no")) -> None:
        super().__init__(path)
        self.words = words

    def load(self, text: str) -> bool | None:
        return text == self.words[0] if text in self.words else None

    def dump(self, value: bool) -> str:
        return self.words[0] if value else self.words[1]


class Choice(_Field[C]):
    """One of libvirt's words; None where the document holds a word that we do not know."""

    def __init__(self, path: str, words: type[C]) -> None:
        super().__init__(path)
        self.words = words

    def load(self, text: str) -> C | None:
        return self.words(text) if text in self.words.__members__.values() else None

    def dump(self, value: C) -> str:
        return self.words(value).value


class Size(_Path):
    """A size in bytes; `unit` is what libvirt assumes where the document names none, and what we
    write where the size allows it (else bytes)."""

    def __init__(self, path: str, unit: str = "bytes") -> None:
        super().__init__(path)
        self.unit = unit

    @overload
    def __get__(self, owner: None, kind: type[Element]) -> Self: ...
    @overload
    def __get__(self, owner: Element, kind: type[Element]) -> int | None: ...
    def __get__(self, owner: Element | None, kind: type[Element]) -> Self | int | None:
        if owner is None:
            return self
        node = find(owner.node, self.steps)
        number = (node.text or "").strip() if node is not None else ""
        if node is None or not (number.isascii() and number.isdigit()):
            return None
        factor = _UNITS.get(node.get("unit") or self.unit)
        return None if factor is None else int(number) * factor

    def __set__(self, owner: Element, value: int | None) -> None:
        if value is None:
            remove(owner.node, self.steps)
            return
        unit = self.unit if value % _UNITS[self.unit] == 0 else "bytes"
        node = ensure(owner, self.steps)
        node.set("unit", unit)
        node.text = str(value // _UNITS[unit])


class Present(_Path):
    """Whether an empty element such as <readonly/> is there."""

    @overload
    def __get__(self, owner: None, kind: type[Element]) -> Self: ...
    @overload
    def __get__(self, owner: Element, kind: type[Element]) -> bool: ...
    def __get__(self, owner: Element | None, kind: type[Element]) -> Self | bool:
        if owner is None:
            return self
        return find(owner.node, self.steps) is not None

    def __set__(self, owner: Element, value: bool) -> None:
        if value:
            ensure(owner, self.steps)
        else:
            remove(owner.node, self.steps)


class Child(_Path, Generic[E]):
    """One element below, or None; set it to put another in its place, by the name that the path ends in."""

    def __init__(self, path: str, kind: type[E]) -> None:
        super().__init__(path)
        self.kind = kind

    @overload
    def __get__(self, owner: None, kind: type[Element]) -> Self: ...
    @overload
    def __get__(self, owner: Element, kind: type[Element]) -> E | None: ...
    def __get__(self, owner: Element | None, kind: type[Element]) -> Self | E | None:
        if owner is None:
            return self
        node = find(owner.node, self.steps)
        return None if node is None else self.kind(node)

    def __set__(self, owner: Element, value: E | None) -> None:
        if value is None:
            remove(owner.node, self.steps)
            return
        old = ensure(owner, self.steps)
        if old is not value.node:
            value.node.tag, value.node.tail = old.tag, old.tail
            parent = old.getparent()
            if parent is not None:
                parent.replace(old, value.node)


class ElementList(Generic[E]):
    """The elements of one tag below an element, as a live list."""

    def __init__(self, owner: Element, steps: tuple[str, ...], kind: type[E]) -> None:
        self._owner, self._steps, self._kind = owner, steps, kind

    def _nodes(self) -> list[Node]:
        return list(find_all(self._owner.node, self._steps))

    def __iter__(self) -> Iterator[E]:
        return (self._kind(node) for node in self._nodes())

    def __len__(self) -> int:
        return len(self._nodes())

    def __getitem__(self, index: int) -> E:
        return self._kind(self._nodes()[index])

    def append(self, element: E) -> None:
        """Put an element behind the last of its kind."""
        parents = self._steps[:-1]
        if parents:
            insert(ensure(self._owner, parents), element.node, {})
        else:
            insert(self._owner.node, element.node, self._owner._order)

    def remove(self, element: E) -> None:
        """Take an element of this list out; ValueError if it is not in it."""
        if element.node not in self._nodes():
            raise ValueError(element)
        detach(element.node)


class Children(_Path, Generic[E]):
    """All elements of one tag at a path."""

    def __init__(self, path: str, kind: type[E]) -> None:
        super().__init__(path)
        self.kind = kind

    @overload
    def __get__(self, owner: None, kind: type[Element]) -> Self: ...
    @overload
    def __get__(self, owner: Element, kind: type[Element]) -> ElementList[E]: ...
    def __get__(self, owner: Element | None, kind: type[Element]) -> Self | ElementList[E]:
        if owner is None:
            return self
        return ElementList(owner, self.steps, self.kind)

    def __set__(self, owner: Element, value: Iterable[E]) -> None:
        elements = list(value)
        kept = ElementList(owner, self.steps, self.kind)
        for element in list(kept):
            kept.remove(element)
        for element in elements:
            kept.append(element)
