"""libvirt's own test driver: one domain, pool and network in memory, fresh for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from virt.access import Access
from virt.connection import Connection, open_connection

NODE = Path(__file__).parent / "node.xml"


@pytest.fixture
def conn() -> Iterator[Connection]:
    # A driver of its own for each test: test:///default is shared by all connections of a process.
    with open_connection(Access(f"test://{NODE}")) as connection:
        yield connection
