"""What people say about a domain: title, description and tags, in its definitions, where every tool can read them."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import InvalidState, OperationFailed, if_supported
from virt.translate import translated_errors
from virt.xml.domain import Domain
from virt.xml.own import NAMESPACE, PREFIX, Brought, Own, Tag


@translated_errors()
def describe(
    conn: Connection,
    uuid: UUID,
    *,
    title: str | None = None,
    description: str | None = None,
    tags: Iterable[str] | None = None,
) -> None:
    """Set what is not None; "" and no tags remove (virDomainSetMetadata).

    In the definition for the next start and, while the domain runs, in the live one too; where its memory is saved,
    also in the one with which it goes on (virDomainManagedSaveDefineXML).
    """
    handle = conn.domain(uuid)
    words = None if tags is None else list(tags)
    flags = _both(handle)
    for kind, text in (
        (libvirt.VIR_DOMAIN_METADATA_TITLE, title),
        (libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, description),
    ):
        if text is not None:
            handle.setMetadata(kind, text or None, None, None, flags)
    if words is not None:
        own = _own(handle)
        own.tags = [Tag(name=name) for name in words]
        _write(handle, own, flags)
    # Where it went on meanwhile, or what was saved cannot be read and never will go on, the definition is all there is.
    with suppress(InvalidState, OperationFailed):
        if_supported(partial(_describe_saved, handle, title, description, words))


@translated_errors()
def _describe_saved(
    handle: libvirt.virDomain, title: str | None, description: str | None, tags: list[str] | None
) -> None:
    if handle.isActive() or not handle.hasManagedSaveImage(0):
        return
    # With its secrets: what is left out here is gone from what it goes on with.
    saved = Domain.parse(handle.managedSaveGetXMLDesc(libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE))
    if title is not None:
        saved.title = title or None
    if description is not None:
        saved.description = description or None
    if tags is not None:
        own = Own.of(saved)
        own.tags = [Tag(name=name) for name in tags]
        own.put_into(saved)
    handle.managedSaveDefineXML(saved.to_xml(), 0)


@translated_errors()
def mark_brought(conn: Connection, uuid: UUID, paths: Iterable[str]) -> None:
    """Keep in a domain's definition that these disks were there before it (virDomainSetMetadata)."""
    handle = conn.domain(uuid)
    own = _own(handle)
    own.brought = [Brought(path=path) for path in paths]
    _write(handle, own, _both(handle))


def _both(handle: libvirt.virDomain) -> int:
    flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG if handle.isPersistent() else 0
    return flags | (libvirt.VIR_DOMAIN_AFFECT_LIVE if handle.isActive() else 0)


def _own(handle: libvirt.virDomain) -> Own:
    which = libvirt.VIR_DOMAIN_XML_INACTIVE if handle.isPersistent() else 0
    return Own.of(Domain.parse(handle.XMLDesc(which)))


def _write(handle: libvirt.virDomain, own: Own, flags: int) -> None:
    handle.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, own.to_xml(), PREFIX, NAMESPACE, flags)
