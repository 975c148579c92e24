"""The golden files: what libvirt itself wrote of guests, pools, volumes, networks and hosts, as typed objects.

Those in golden/real/ come from libvirtd 9.0, which was given them with --validate where it can be: a guest with
nearly everything libvirt knows, one that runs from a chain of images while another is copied, Windows on i440fx,
a kernel without firmware, a container, pools and networks of all kinds. The capabilities of other machines (EPYC,
Skylake, ARM), the RBD pool, the interface with addresses, and the devices, are written after libvirt's schemas, since
no such machine was at hand.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import virt.xml
from virt.xml.base import Element
from virt.xml.capabilities import Capabilities, DomainCapabilities
from virt.xml.device import NodeDevice
from virt.xml.domain import Domain
from virt.xml.fields import Child, Children
from virt.xml.interface import Interface
from virt.xml.network import Network
from virt.xml.own import Own
from virt.xml.storage import Pool, Volume

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.rglob("*.xml"))
ROOTS: dict[str, type[Element]] = {
    kind.tag: kind for kind in (Domain, Pool, Volume, Network, Interface, NodeDevice, Capabilities, DomainCapabilities)
}


@cache
def _parsed(path: Path) -> Element:
    text = path.read_text()
    tag = text.split("<", 1)[1].split(None, 1)[0].partition(">")[0]
    return ROOTS[tag].parse(text)


def document(path: Path) -> Element:
    """The document of a golden file, which the caller may change."""
    parsed = _parsed(path)
    return type(parsed)(deepcopy(parsed.node))


def named(name: str) -> Element:
    """The document of the golden file with this name."""
    return document(next(path for path in FILES if path.stem == name))


def documents(path: Path) -> list[Element]:
    """The document of a golden file, and what it holds of ours where it is a guest's."""
    root = document(path)
    return [root, Own.of(root)] if isinstance(root, Domain) else [root]


def within(element: Element) -> Iterator[Element]:
    """The element and all that is declared below it."""
    yield element
    for name in element.field_names():
        field = getattr(type(element), name)
        if isinstance(field, Child):
            below = getattr(element, name)
            if below is not None:
                yield from within(below)
        elif isinstance(field, Children):
            for below in getattr(element, name):
                yield from within(below)


def classes() -> list[type[Element]]:
    """Every class of virt/xml."""
    for module in pkgutil.iter_modules(virt.xml.__path__):
        importlib.import_module(f"virt.xml.{module.name}")
    return [kind for kind in Element.__subclasses__() if kind.__module__.startswith("virt.xml.")]


@dataclass(frozen=True)
class Place:
    """Where an element stands: the file, which of its documents, and the how manieth of `within`."""

    path: Path
    document: int
    number: int

    def fresh(self) -> tuple[Element, Element]:
        """The document and the element in it, which the caller may change."""
        root = documents(self.path)[self.document]
        return root, list(within(root))[self.number]


@cache
def places() -> dict[type[Element], list[Place]]:
    """Every element of the golden files by its class."""
    found: dict[type[Element], list[Place]] = {}
    for path in FILES:
        for which, root in enumerate(documents(path)):
            for number, element in enumerate(within(root)):
                found.setdefault(type(element), []).append(Place(path, which, number))
    return found
