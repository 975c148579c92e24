"""Hosts of the lab in a running Webvirt, as an administrator's choices would have put them there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab.host import Host
from tests.lab.ssh_host import SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.program import Program
from tests.stack import Stack
from tests.waiting import wait_for

ADD = """
import json
from accounts.models import User
from hosts.keys import HostKey
from hosts.secrets import Secrets
from hosts.services import add_host, trust_key
asked = json.loads({asked!r})
admin = User.objects.get(username="admin")
host = add_host(name=asked["name"], uri=asked["uri"], actor=admin, secrets=Secrets(**asked["secrets"]))
if asked["key"]:
    trust_key(host, key=HostKey.parse(asked["key"]), actor=admin)
print(host.pk)
"""
REMOVE = """
from hosts.models import Host
Host.objects.filter(pk={pk}).delete()
"""
OWN_KEY = "from hosts.keys import own_public_key; print(own_public_key())"


def shell(stack: Stack, code: str) -> str:
    done = stack.manage("shell", "-v0", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def added(stack: Stack, host: Host) -> Iterator[dict[str, Any]]:
    """The host, added and up, as the API tells it; forgotten again after the block."""
    asked: dict[str, Any] = {"name": f"t-{host.name}", "uri": host.uri, "key": "", "secrets": {}}
    if isinstance(host, SshHost):
        host.trust(shell(stack, OWN_KEY))
        asked["key"] = host.host_key
    elif isinstance(host, TcpHost):
        asked |= {"uri": host.uri.replace("://", f"://{host.user}@"), "secrets": {"password": host.password}}
    elif isinstance(host, TlsHost):
        names = {"ca_certificate": "cacert", "client_certificate": "clientcert", "client_key": "clientkey"}
        folder = host.client("known")
        asked["secrets"] = {name: (folder / f"{file}.pem").read_text() for name, file in names.items()}
    pk = int(shell(stack, ADD.format(asked=json.dumps(asked))))
    program = Program.of(stack, f"lab {host.name}")
    try:
        wait_for(lambda: program.get(f"hosts/{pk}/")["state"] == "up", 40)
        yield program.get(f"hosts/{pk}/")
    finally:
        shell(stack, REMOVE.format(pk=pk))


def pool_of(stack: Stack, host: dict[str, Any], path: str) -> dict[str, Any]:
    """A pool on that folder of the host, made by the API."""
    program = Program.of(stack, "pools")
    made = program.change("POST", "pools/", {"host": host["id"], "name": "t-far", "path": path})
    assert made["state"] == "succeeded", made
    found: dict[str, Any] = wait_for(lambda: program.get(f"pools/?host={host['id']}")["results"], 20)[0]
    return found
