"""PostgreSQL and Redis as a site runs them for itself: over TCP, with passwords."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.stack import free_port
from tests.waiting import wait_for

PROGRAMS = Path("/usr/lib/postgresql")
# It does not run as root.
AS_POSTGRES = ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups")


@contextmanager
def postgresql(password: str) -> Iterator[str]:
    """A PostgreSQL with an empty database, as WEBVIRT_DATABASE_URL has it."""
    port = free_port()
    programs = max(PROGRAMS.glob("*/bin"))
    # Not below pytest's folders, into which only root can look.
    folder = Path(tempfile.mkdtemp(prefix="t-postgresql-"))
    shutil.chown(folder, "postgres")
    secret = folder / "password"
    secret.write_text(password)
    shutil.chown(secret, "postgres")
    data = str(folder / "data")
    make = (*AS_POSTGRES, programs / "initdb", "-D", data, "-A", "scram-sha-256", "-U", "webvirt", "--pwfile", secret)
    subprocess.run(make, cwd=folder, check=True, capture_output=True)
    run = (*AS_POSTGRES, programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(run, cwd=folder, stdout=log, stderr=log)
    try:
        ask = (programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port))
        wait_for(lambda: subprocess.run(ask, check=False, capture_output=True).returncode == 0, 30)
        yield f"postgres://webvirt:{password}@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder)


@contextmanager
def redis_at_a_port(folder: Path, password: str) -> Iterator[str]:
    """A Redis, as WEBVIRT_REDIS_URL has it."""
    port = free_port()
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", password]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis.from_url(url) as client:
            wait_for(lambda: _answers(client))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def a_password() -> str:
    """One that no other text holds."""
    return f"pw{secrets.token_hex(8)}{os.getpid()}"
