"""The console service as a process of its own, with a DATA of its own, for the unit and the host ring."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import websockets.sync.client
from django.conf import settings

from accounts.models import User
from console.tokens import Kind, Token, mint
from instances.models import Instance
from tests.waiting import wait_for

HOME = Path(__file__).resolve().parent.parent
HOST = "webvirt.test:8000"

# Two operators of everything, one guest; Alice is signed in twice, Bob once.
SEED = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import Grant, Role, User
from hosts.models import Host, HostStatus
from instances.models import Instance

uri, uuid = "{uri}", "{uuid}"

def session_of(user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key

host = Host.objects.create(name="here", uri=uri)
HostStatus.objects.create(host=host, state="up")
guest = Instance.objects.create(
    host=host, uuid=uuid, name="t-console", state="running", graphics=[{{"type": "vnc", "port": 5900, "listen": ""}}]
)
people = {{}}
for name in ("alice", "bob"):
    user = User.objects.create_user(name)
    Grant.objects.create(user=user, role=Role.OPERATOR, scope=Grant.Scope.EVERYTHING)
    people[name] = {{"id": user.pk, "session": session_of(user), "second": session_of(user)}}
print(json.dumps({{"host": host.pk, "guest": guest.pk, **people}}))
"""


@dataclass
class Person:
    id: int
    session: str
    second: str


class Door:
    """A running `manage.py console`, its own database seeded, on the Redis of the tests."""

    def __init__(self, data: Path, *, uri: str = "test:///default", uuid: str = "") -> None:
        self.data = data
        self.uuid = uuid or str(uuid4())
        self.uri = uri
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WEBVIRT_")}
        self.environment = {
            **kept,
            "WEBVIRT_DATA": str(data),
            "WEBVIRT_REDIS_URL": settings.REDIS_URL,
            "DJANGO_SETTINGS_MODULE": "webvirt.settings",
        }
        self.log = data / "console.log"

    @property
    def socket(self) -> Path:
        # The same choice as webvirt.places makes, for folders short enough.
        return self.data / "run" / "console.sock"

    def __enter__(self) -> Self:
        self.manage("migrate", "-v0")
        found = json.loads(self.shell(SEED.format(uri=self.uri, uuid=self.uuid)))
        self.guest = Instance(pk=found["guest"], host_id=found["host"], uuid=self.uuid)
        self.alice, self.bob = (Person(**found[name]) for name in ("alice", "bob"))
        with self.log.open("w") as log:
            command = [sys.executable, str(HOME / "manage.py"), "console"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, process_group=0)
        try:
            wait_for(self.answers)
        except AssertionError:
            self.end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def lead_to(self, uri: str, uuid: UUID, *, host_key: str = "", **secrets: str) -> None:
        """Have the one guest be another one, on a host that is reached by these."""
        self.guest.uuid = uuid
        self.shell(
            "from hosts.models import Host; from hosts.secrets import Secrets, seal;"
            "from instances.models import Instance;"
            f"Host.objects.update(uri={uri!r}, host_key={host_key!r}, sealed=seal(Secrets(**{secrets!r})));"
            f"Instance.objects.update(uuid={str(uuid)!r})"
        )

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(HOME / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        return self.manage("shell", "-v0", "-c", code)

    def token(self, person: Person, *, session: bool = True) -> Token:
        """A token of this person's, minted with their first session or as an API token would."""
        key = person.session if session else None
        return mint(instance=self.guest, kind=Kind.VNC, user=User(pk=person.id), session_key=key)

    def open(
        self, token: str, *, cookie: str | None = None, origin: str | None = f"http://{HOST}", max_queue: int = 16
    ) -> websockets.sync.client.ClientConnection:
        """Open the WebSocket as nginx would pass it on; it takes `max_queue` messages ahead of being read.

        Raises websockets.InvalidStatus when it is refused.
        """
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"} if cookie else {}
        return websockets.sync.client.unix_connect(
            str(self.socket),
            uri=f"ws://{HOST}/console/ws?token={token}",
            origin=origin,  # type: ignore[arg-type]
            additional_headers=headers,
            proxy=None,
            compression=None,
            open_timeout=10,
            max_queue=max_queue,
        )

    def refusal(self, token: str, **how: Any) -> int:
        """The status of a refused request; AssertionError when it is let in."""
        try:
            connection = self.open(token, **how)
        except websockets.InvalidStatus as refused:
            assert not refused.response.body
            return refused.response.status_code
        connection.close()
        raise AssertionError("it was let in")

    def children(self) -> list[int]:
        """The processes that serve a connection now."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]


def redis_key(token: str) -> str:
    return f"webvirt:console:token:{hashlib.sha256(token.encode()).hexdigest()}"
