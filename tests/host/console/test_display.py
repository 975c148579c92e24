"""A real guest's display through the real service."""

import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
import redis
import websockets

from tests.door import Door, redis_key
from tests.guests import URI, ipxe_guest
from tests.screen import Screen, close_code, shows_the_whole_screen
from tests.waiting import wait_for
from virt import domains
from virt.access import Access
from virt.connection import Connection, open_connection


@pytest.fixture(scope="module")
def conn() -> Iterator[Connection]:
    with open_connection(Access(URI)) as connection:
        yield connection


@pytest.fixture(scope="module")
def guest() -> Iterator[UUID]:
    with ipxe_guest("t-console") as (uuid, _):
        yield uuid


@pytest.fixture
def running(conn: Connection, guest: UUID) -> UUID:
    if not conn.handle.lookupByUUID(guest.bytes).isActive():
        domains.start(conn, guest)
    return guest


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, redis_process: redis.Redis, guest: UUID) -> Iterator[Door]:
    with Door(tmp_path_factory.mktemp("c"), uri=URI, uuid=str(guest)) as door:
        yield door


def test_it_shows_the_guests_screen(door: Door, running: UUID) -> None:
    wait_for(lambda: shows_the_whole_screen(door), 30)


def test_a_token_opens_it_once_and_in_time(door: Door, running: UUID, redis_process: redis.Redis) -> None:
    token = door.token(door.alice).token
    with door.open(token, cookie=door.alice.session) as connection:
        Screen(connection).begin()
    assert door.refusal(token, cookie=door.alice.session) == 403
    late = door.token(door.alice).token
    redis_process.pexpire(redis_key(late), 1)
    wait_for(lambda: not redis_process.exists(redis_key(late)))
    assert door.refusal(late, cookie=door.alice.session) == 403


def test_others_do_not_see_it(door: Door, running: UUID) -> None:
    assert door.refusal(door.token(door.alice).token, cookie=door.bob.session) == 403
    assert door.refusal(door.token(door.alice).token, cookie=door.alice.session, origin="http://elsewhere.test") == 403


def test_signing_out_ends_it_within_a_second(door: Door, running: UUID) -> None:
    with door.open(door.token(door.bob).token, cookie=door.bob.session) as connection:
        Screen(connection).begin()
        with ThreadPoolExecutor() as thread:
            end = thread.submit(lambda: (close_code(connection), time.time()))
            signed_out_at = float(
                door.shell(
                    "import time; from django.test import Client; client = Client(HTTP_HOST='h');"
                    f"client.cookies['webvirt_session'] = {door.bob.session!r};"
                    "assert client.post('/logout/').status_code == 302; print(time.time())"
                )
            )
            code, ended_at = end.result()
        assert code == 4403
        assert ended_at - signed_out_at < 1
    assert door.refusal(door.token(door.bob).token, cookie=door.bob.session) == 403


def test_a_lost_right_ends_it(door: Door, running: UUID) -> None:
    with door.open(door.token(door.bob, session=False).token) as connection:
        Screen(connection).begin()
        door.shell("from accounts.models import Grant; Grant.objects.get(user__username='bob').delete()")
        assert close_code(connection) == 4403


def test_a_disabled_user_loses_it_though_nothing_is_read_any_more(door: Door, running: UUID) -> None:
    """The service must not wait for a browser that takes nothing."""
    with door.open(door.token(door.alice).token, cookie=door.alice.session, max_queue=1) as connection:
        screen = Screen(connection)
        screen.begin()
        child = door.children()[-1]
        # A frame is larger than what the sockets hold between them: the rest of it stays with the child.
        screen.connection.send(struct.pack(">BBHHHH", 3, 0, 0, 0, screen.width, screen.height))
        wait_for(lambda: connection.recv_messages.paused)
        door.shell(
            "from accounts.models import User; u = User.objects.get(username='alice'); u.is_active = False; u.save()"
        )
        wait_for(lambda: child not in door.children())
    door.shell("from accounts.models import User; u = User.objects.get(username='alice'); u.is_active = True; u.save()")


def test_the_guests_end_is_a_clean_end(door: Door, running: UUID, conn: Connection) -> None:
    with door.open(door.token(door.alice).token, cookie=door.alice.session) as connection:
        screen = Screen(connection)
        screen.begin()
        domains.destroy(conn, running)
        assert close_code(connection) == 1000
    wait_for(lambda: not door.children())


def test_a_guest_that_is_off_has_no_display(door: Door, guest: UUID, conn: Connection) -> None:
    domain = conn.handle.lookupByUUID(guest.bytes)
    if domain.isActive():
        domain.destroy()
    with door.open(door.token(door.alice).token, cookie=door.alice.session) as connection:
        assert close_code(connection) == 4404


def test_the_end_of_the_service_ends_its_consoles(tmp_path: Path, redis_process: redis.Redis, running: UUID) -> None:
    with (
        Door(tmp_path, uri=URI, uuid=str(running)) as door,
        door.open(door.token(door.alice).token, cookie=door.alice.session) as connection,
    ):
        Screen(connection).begin()
        door.process.terminate()
        door.process.wait(timeout=10)
        with pytest.raises(websockets.ConnectionClosed):
            connection.recv(timeout=10)
