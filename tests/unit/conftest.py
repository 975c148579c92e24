"""What the unit ring shares."""

import pytest

from tests.unit.world import World


@pytest.fixture
def world(db: None) -> World:
    """People of every role, two hosts, and one of everything."""
    return World.make()
