"""<pool> and <volume>."""

from virt.xml.base import Element
from virt.xml.fields import Child, Int, Size, Text


class Permissions(Element):
    """<permissions> of a pool's folder; `mode` is octal, `owner` and `group` are numbers."""

    tag = "permissions"
    mode = Text("mode")
    owner = Int("owner")
    group = Int("group")


class Pool(Element):
    """<pool>: sizes are bytes."""

    tag = "pool"
    type = Text("@type")
    name = Text("name")
    uuid = Text("uuid")
    capacity_bytes = Size("capacity")
    allocation_bytes = Size("allocation")
    available_bytes = Size("available")
    path = Text("target/path")
    permissions = Child("target/permissions", Permissions)


class Volume(Element):
    """<volume>: sizes are bytes."""

    tag = "volume"
    type = Text("@type")
    name = Text("name")
    key = Text("key")
    capacity_bytes = Size("capacity")
    allocation_bytes = Size("allocation")
    physical_bytes = Size("physical")
    path = Text("target/path")
    format = Text("target/format/@type")
    compat = Text("target/compat")
    written_at = Text("target/timestamps/mtime")
    backing_path = Text("backingStore/path")
    backing_format = Text("backingStore/format/@type")
