"""Webvirt as a person starts it: `script/server` itself, with a DATA and a port of its own."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.waiting import wait_for

HOME = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery"
READY = re.compile(r"^Webvirt is ready: (?P<url>http://\S+/)  user: admin(  password: (?P<password>.+))?$", re.M)
START_SECONDS = 180.0
STOP_SECONDS = 40.0
PORTS = range(20000, 30000)


def free_port() -> int:
    """One that nobody has, below those that the kernel gives to connections (32768 on): it is bound only later."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Stack:
    """A running Webvirt. `url` ends in a slash, `data` is its folder, `password` the admin's.

    `output` holds what script/server printed so far. Extra settings come as keyword arguments (WEBVIRT_… names);
    `prefix` is a command to run it under.
    """

    def __init__(self, data: Path, *, prefix: tuple[str, ...] = (), **settings: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.password = settings.get("WEBVIRT_ADMIN_PASSWORD", PASSWORD)
        self.prefix = prefix
        self.output = ""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WEBVIRT_", "DJANGO_"))}
        self.environment = {
            **kept,
            "WEBVIRT_DATA": str(data),
            "WEBVIRT_PORT": str(self.port),
            "WEBVIRT_ADMIN_PASSWORD": self.password,
            **settings,
        }
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait for the ready line."""
        self.output = ""
        self.process = subprocess.Popen(
            [*self.prefix, str(HOME / "script" / "server")],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        wait_for(self._settled, START_SECONDS)
        assert READY.search(self.output), f"script/server ended early:\n{self.output}"

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.output += line

    def _settled(self) -> bool:
        assert self.process
        return bool(READY.search(self.output)) or self.process.poll() is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it as Ctrl-C or a service manager would, and wait until it is gone."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=STOP_SECONDS)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` on the same DATA."""
        return subprocess.run(
            [sys.executable, str(HOME / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def doctor(self) -> str:
        """What doctor finds wrong; "" when it finds nothing."""
        found = self.manage("doctor")
        return "" if found.returncode == 0 else found.stdout + found.stderr
