"""Formats of volumes, and the pools that can hold them."""

QCOW2, RAW, ISO = "qcow2", "raw", "iso"
# What can be made empty, and grown.
DISKS = (QCOW2, RAW)
# What libvirt calls folders that lie among a pool's files, as lost+found.
FOLDER = "dir"
# Pools whose volumes are files, which take room as they fill.
SPARSE_POOLS = frozenset({"dir", "fs", "netfs", "gluster", "vstorage"})


def of_pool(type: str) -> tuple[str, ...]:
    """The formats that a new volume of such a pool can have; the first is the usual one."""
    return DISKS if type in SPARSE_POOLS else (RAW,)
