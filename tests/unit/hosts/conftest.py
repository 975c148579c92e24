"""A host by ssh whose key nobody has confirmed yet."""

import pytest

from hosts.models import Host
from hosts.services import add_host
from tests.unit.hosts.connecting import SSH
from tests.unit.world import World


@pytest.fixture
def ssh(world: World) -> Host:
    return add_host(name="kvm-04", uri=SSH, actor=world.admin)
