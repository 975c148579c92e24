"""Title, description and tags in a domain's own definition."""

from uuid import UUID

import pytest

from virt import domains, metadata
from virt.connection import Connection
from virt.errors import VirtError
from virt.xml.domain import Domain
from virt.xml.own import NAMESPACE, Own

FIRST = UUID("6695eb01-f6a4-8304-79aa-97f2502e193f")
ELSEWHERE = "<o:instance xmlns:o='http://openstack.org/xmlns/libvirt/nova/1.1'><o:name>x</o:name></o:instance>"
OURS = f"""<domain type='test'><name>first</name><metadata>{ELSEWHERE}
<w:domain xmlns:w='{NAMESPACE}'><w:tag>web</w:tag><w:tag> 生产 </w:tag><w:tag/><w:later n='1'/>
<w:brought path='/a.qcow2'/></w:domain></metadata></domain>"""


def definition(conn: Connection) -> Domain:
    return Domain.parse(domains.describe(conn, FIRST).xml_inactive)


def test_what_is_not_given_stays(conn: Connection) -> None:
    metadata.describe(conn, FIRST, title="The first", description="Two\nlines & <more>", tags=["web", "生产"])
    metadata.describe(conn, FIRST, title="Another")
    found = definition(conn)
    assert (found.title, found.description) == ("Another", "Two\nlines & <more>")
    assert Own.of(found).tag_names == ["web", "生产"]


def test_it_stands_in_the_live_definition_too(conn: Connection) -> None:
    metadata.describe(conn, FIRST, title="The first", tags=["web"])
    live = Domain.parse(domains.describe(conn, FIRST).xml_live)
    assert (live.title, Own.of(live).tag_names) == ("The first", ["web"])


def test_nothing_removes(conn: Connection) -> None:
    metadata.describe(conn, FIRST, title="x", description="y", tags=["z"])
    metadata.describe(conn, FIRST, title="", description="", tags=[])
    metadata.describe(conn, FIRST, title="")
    found = definition(conn)
    assert (found.title, found.description, Own.of(found).tag_names) == (None, None, [])


def test_a_title_of_two_lines_is_refused(conn: Connection) -> None:
    with pytest.raises(VirtError):
        metadata.describe(conn, FIRST, title="a\nb")


def test_tags_and_what_was_brought_stay_beside_each_other(conn: Connection) -> None:
    metadata.describe(conn, FIRST, tags=["web"])
    metadata.mark_brought(conn, FIRST, ["/a.qcow2"])
    metadata.describe(conn, FIRST, tags=["mail"])
    own = Own.of(definition(conn))
    assert (own.tag_names, own.brought_paths) == (["mail"], {"/a.qcow2"})


def test_what_others_and_later_versions_wrote_stays(conn: Connection) -> None:
    own = Own.of(Domain.parse(OURS))
    assert (own.tag_names, own.brought_paths) == (["web", "生产"], {"/a.qcow2"})
    conn.handle.lookupByUUID(FIRST.bytes).setMetadata(2, own.to_xml(), "webvirt", NAMESPACE, 3)
    metadata.describe(conn, FIRST, tags=["one"])
    again = Own.of(definition(conn))
    assert again.tag_names == ["one"]
    assert again.node.find("later").get("n") == "1"  # type: ignore[union-attr]


def test_a_definition_without_it_has_none() -> None:
    own = Own.of(Domain.parse(f"<domain><name>x</name><metadata>{ELSEWHERE}</metadata></domain>"))
    assert (own.tag_names, own.brought_paths) == ([], set())
