"""Hosts with any number of guests that are off: libvirt's own test driver, read by the real monitor."""

import secrets
import uuid

from bench.wire import Wire
from tests.fleet import write_node
from tests.stack import Stack
from tests.waiting import wait_for

PASSWORD = secrets.token_urlsafe(16)
VIEWER = """
from accounts.models import Grant, Role, User
from hosts.models import Host
user = User.objects.create_user("{name}", password="{password}")
Grant.objects.create(user=user, role=Role.OPERATOR, scope=Grant.Scope.HOST, host_id=Host.objects.get(name="{name}").pk)
"""
COUNT = """
from instances.models import Instance
print(Instance.objects.filter(host__name="{name}").exclude(disks=[]).count())
"""


def add(stack: Stack, name: str, count: int) -> Wire:
    """Add a host called `name` with `count` guests; wait until they are read; sign in who operates that host alone."""
    path = stack.data / f"{name}.xml"
    write_node(path, {uuid.uuid4(): f"guest-{number:04}" for number in range(count)}, running=False)
    added = stack.manage("host", "add", name, f"test://{path}")
    assert added.returncode == 0, added.stderr
    wait_for(lambda: shell(stack, COUNT.format(name=name)) == str(count), 120)
    shell(stack, VIEWER.format(name=name, password=PASSWORD))
    return Wire.signed_in(stack.port, name, PASSWORD)


def shell(stack: Stack, code: str) -> str:
    """Run Python in the house's own Django; what it prints."""
    done = stack.manage("shell", "-v0", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
