"""What Webvirt keeps in a guest's own definition, below <metadata>, under a namespace of its own."""

from copy import deepcopy

from lxml import etree

from virt.xml.base import Element, detach, ensure
from virt.xml.domain import Domain
from virt.xml.fields import Children, Text

NAMESPACE = "https://webvirt.org/xmlns/domain/1.0"
PREFIX = "webvirt"


class Tag(Element):
    """<tag>: a word that guests are grouped by."""

    tag = "tag"
    name = Text("")


class Brought(Element):
    """<brought>: a disk that was there before the guest, and is not to go with it."""

    tag = "brought"
    path = Text("@path")


class Own(Element):
    """<domain> in our namespace, without it: libvirt puts it on and takes it off."""

    tag = "domain"
    tags = Children("tag", Tag)
    brought = Children("brought", Brought)

    @classmethod
    def of(cls, domain: Domain) -> "Own":
        """Return what a definition holds of ours, as a copy; an empty one where it holds nothing."""
        found = domain.node.find(f"metadata/{{{NAMESPACE}}}{cls.tag}")
        if found is None:
            return cls()
        node = deepcopy(found)
        for part in node.iter(f"{{{NAMESPACE}}}*"):
            part.tag = str(part.tag).rpartition("}")[2]
        # libvirt cannot put our prefix on an element that declares it already.
        etree.cleanup_namespaces(node)
        return cls(node)

    def put_into(self, domain: Domain) -> None:
        """Make it what a definition holds of ours, in place of what that held."""
        metadata = ensure(domain, ("metadata",))
        for found in metadata.findall(f"{{{NAMESPACE}}}{self.tag}"):
            detach(found)
        node = etree.SubElement(metadata, f"{{{NAMESPACE}}}{self.tag}", nsmap={PREFIX: NAMESPACE})
        node.extend(deepcopy(part) for part in self.node)
        for part in node.iterdescendants(etree.Element):
            part.tag = f"{{{NAMESPACE}}}{etree.QName(part).localname}"

    @property
    def tag_names(self) -> list[str]:
        return [one.name.strip() for one in self.tags if one.name and one.name.strip()]

    @property
    def brought_paths(self) -> set[str]:
        return {disk.path for disk in self.brought if disk.path}
