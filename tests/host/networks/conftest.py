"""The real host, with a monitor that reads its networks when a job asks for it."""

import subprocess
import threading
from collections.abc import Iterator

import pytest
import redis

from hosts.models import Host, HostStatus
from hosts.settle import answer, look_key, parse_look
from virt.access import Access
from virt.connection import Connection, open_connection

URI = "qemu:///system"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def conn() -> Iterator[Connection]:
    with open_connection(Access(URI)) as connection:
        yield connection


@pytest.fixture
def host(transactional_db: None, redis_server: redis.Redis) -> Iterator[Host]:
    host = Host.objects.create(name="here", uri=URI)
    HostStatus.objects.create(host=host)  # not known to be up
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            found = redis_server.blpop([look_key(host.pk)], timeout=0.2)
            if found:
                answer(parse_look(host.pk, found[1]))

    thread = threading.Thread(target=watch)
    thread.start()
    yield host
    over.set()
    thread.join()
