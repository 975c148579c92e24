"""What all rings share: a Redis of the session's own, and the real thing as `script/server` starts it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
from django.conf import settings

from tests import database
from tests.stack import Stack
from tests.waiting import wait_for
from webvirt.prepare import compile_messages

pytest_plugins = ("tests.lab.fixtures",)

# A run tells of the code alone: neither of how busy the machine was, nor of which examples were drawn this time.
# `--hypothesis-profile=default` draws others.
hypothesis.settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")


def pytest_sessionstart() -> None:
    """The words of other languages are read once a process: they are compiled before anybody reads them."""
    compile_messages()
    database.install()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="session")
def redis_process() -> Iterator[redis.Redis]:
    """A private Redis where the settings expect it, for the whole session."""
    socket = settings.RUN / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(settings.DATA)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        wait_for(lambda: _answers(client))
        yield client
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def redis_server(redis_process: redis.Redis) -> redis.Redis:
    """That Redis, empty, as a client that answers str."""
    redis_process.flushall()
    return redis_process


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Webvirt as a person starts it, with its own DATA and port."""
    data: Path = tmp_path_factory.mktemp("stack")
    with Stack(data) as running:
        yield running
