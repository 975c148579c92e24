"""Guests for tests that shall end without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID, uuid4

from tests.waiting import wait_for
from virt import domains
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.definition import LOOPBACK, GuestSpec, NicSpec, build
from virt.errors import NotFound, Unreachable
from virt.states import State
from virt.xml.domain import VirtType

URI = "qemu:///system"
HERE = Access(URI)
ISO = "/usr/lib/ipxe/ipxe.iso"


@contextmanager
def ipxe_guest(
    prefix: str, *networks: str, access: Access = HERE, listen: str = LOOPBACK
) -> Iterator[tuple[UUID, str]]:
    """A small guest that boots into iPXE's screen, defined and off; its UUID and name. A test may remove it.

    It asks for an address on each of its `networks`; its display listens at `listen`.
    """
    uuid = uuid4()
    name = f"{prefix}-{uuid.hex[:8]}"
    cards = tuple(NicSpec(network) for network in networks)
    spec = GuestSpec(
        uuid=uuid,
        name=name,
        vcpus=1,
        memory_bytes=64 << 20,
        virt_type=VirtType.QEMU,
        cdrom=ISO,
        networks=cards,
        listen=listen,
    )
    with _opened(access) as connection:
        domains.define(connection, build(spec, None))
    try:
        yield uuid, name
    finally:
        with _opened(access) as connection, suppress(NotFound):
            if domains.describe(connection, uuid).state is not State.SHUTOFF:
                domains.destroy(connection, uuid)
            domains.undefine(connection, uuid)


def _opened(access: Access) -> Connection:
    """A connection, also to a libvirtd that has just crashed and is being started again."""

    def opened() -> Connection | None:
        with suppress(Unreachable):
            return open_connection(access)
        return None

    connection = wait_for(opened)
    assert connection
    return connection


def define_many(access: Access, prefix: str, count: int) -> None:
    """Make guests without disks, all shut off, on a host that forgets them by itself: `prefix-0`, `prefix-1`, …"""
    with open_connection(access) as connection:
        for number in range(count):
            spec = GuestSpec(uuid4(), f"{prefix}-{number}", vcpus=1, memory_bytes=64 << 20, virt_type=VirtType.QEMU)
            domains.define(connection, build(spec, None))
