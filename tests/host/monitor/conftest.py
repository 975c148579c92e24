"""The monitor as its own process, with a database and a Redis of its own; `virsh` is who acts on the host."""

import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.stack import HOME
from tests.virsh import must_virsh, run_virsh
from tests.waiting import wait_for

URI = "qemu:///system"
PREFIX = "t-monitor-"
SETUP = """
from accounts.models import User
from hosts.services import add_host
add_host(name="local", uri="{uri}", actor=User.objects.create_superuser("admin", password="correct horse battery"))
"""
GUEST = """
<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
</domain>
"""


def virsh(*arguments: str, stdin: str = "") -> str:
    """Run virsh on the local host, as somebody outside would."""
    return must_virsh(*arguments, stdin=stdin)


class Guest:
    """A guest without a disk, made and changed by virsh alone."""

    def __init__(self, folder: Path) -> None:
        self.uuid = uuid.uuid4()
        self.name = f"{PREFIX}{self.uuid.hex[:8]}"
        self.xml = folder / "guest.xml"
        self.xml.write_text(GUEST.format(name=self.name, uuid=self.uuid))

    def remove(self) -> None:
        for verb in ("destroy", "managedsave-remove", "undefine"):
            run_virsh(verb, self.name)


class House:
    """What the monitor needs around it. `query` reads its database from outside."""

    def __init__(self, data: Path) -> None:
        self.data = data
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WEBVIRT_", "DJANGO_"))}
        self.socket = data / "redis.sock"
        self.environment = {
            **kept,
            "WEBVIRT_DATA": str(data),
            "WEBVIRT_REDIS_URL": f"unix://{self.socket}?db=0",
            "DJANGO_SETTINGS_MODULE": "webvirt.settings",
        }
        self.redis = redis.Redis.from_url(self.environment["WEBVIRT_REDIS_URL"], decode_responses=True)
        self.redis_process = self.start_redis()
        self.monitor: subprocess.Popen[bytes] | None = None
        self.monitors: list[subprocess.Popen[bytes]] = []
        self.log = data / "monitor.log"
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "--command", SETUP.format(uri=URI))
        self.database = sqlite3.connect(data / "webvirt.sqlite3", isolation_level=None, timeout=20)

    def start_redis(self) -> subprocess.Popen[bytes]:
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        process = subprocess.Popen([*command, "--dir", str(self.data)], stdout=subprocess.DEVNULL)
        wait_for(self.redis_answers)
        return process

    def redis_answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.ConnectionError:
            return False

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(HOME / "manage.py"), *arguments]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def start_monitor(self, folder: Path | None = None) -> subprocess.Popen[bytes]:
        """Start one, in this folder; `monitor` is the last that was started."""
        with self.log.open("ab") as log:
            command = [sys.executable, str(HOME / "manage.py"), "monitor"]
            self.monitor = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd=folder)
        self.monitors.append(self.monitor)
        return self.monitor

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.database.execute(sql, values).fetchall()

    def host(self, column: str) -> Any:
        return self.query(f"select {column} from hosts_hoststatus")[0][0]  # noqa: S608 - a test's own words

    def state(self, guest: Guest) -> str | None:
        found = self.query("select state from instances_instance where uuid = ?", guest.uuid.hex)
        return found[0][0] if found else None

    def stop(self) -> None:
        for process in (*self.monitors, self.redis_process):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
                process.wait(timeout=10)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("monitor"))
    try:
        house.start_monitor()
        wait_for(lambda: house.host("synced_at"), 20)
        yield house
    finally:
        house.stop()


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    guest = Guest(tmp_path)
    try:
        yield guest
    finally:
        guest.remove()
