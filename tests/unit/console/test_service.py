"""The service's door, by its real process: who is let in, and what is left in sight."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import websockets

from tests.door import HOST, Door, redis_key
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, redis_process: redis.Redis) -> Iterator[Door]:
    with Door(tmp_path_factory.mktemp("c")) as door:
        yield door


def let_in(door: Door, token: str, cookie: str | None, **how: str | None) -> bool:
    """Whether the door opened; behind it the test driver then has no display to show."""
    with door.open(token, cookie=cookie, **how) as connection:
        with pytest.raises(websockets.ConnectionClosed) as ended:
            connection.recv(timeout=10)
        assert ended.value.rcvd
        return (ended.value.rcvd.code, ended.value.rcvd.reason) == (4404, "unsupported")


def test_it_lets_the_session_that_asked_in(door: Door) -> None:
    assert let_in(door, door.token(door.alice).token, door.alice.session)


def test_it_refuses_a_token_used_twice(door: Door) -> None:
    token = door.token(door.alice).token
    assert let_in(door, token, door.alice.session)
    assert door.refusal(token, cookie=door.alice.session) == 403


def test_it_refuses_a_token_that_came_late(door: Door, redis_process: redis.Redis) -> None:
    token = door.token(door.alice).token
    assert 28 <= redis_process.ttl(redis_key(token)) <= 30
    redis_process.pexpire(redis_key(token), 1)
    wait_for(lambda: not redis_process.exists(redis_key(token)))
    assert door.refusal(token, cookie=door.alice.session) == 403


@pytest.mark.parametrize("token", ["", "x", "../../etc/passwd", "%00", "a" * 5000])
def test_it_refuses_a_token_that_never_was(door: Door, token: str) -> None:
    assert door.refusal(token, cookie=door.alice.session) == 403


def test_it_refuses_a_sessions_token_without_its_cookie(door: Door) -> None:
    assert door.refusal(door.token(door.alice).token) == 403


def test_it_refuses_another_persons_cookie(door: Door) -> None:
    assert door.refusal(door.token(door.alice).token, cookie=door.bob.session) == 403


def test_it_refuses_another_session_of_the_same_person(door: Door) -> None:
    assert door.refusal(door.token(door.alice).token, cookie=door.alice.second) == 403


def test_it_asks_no_cookie_of_an_api_token(door: Door) -> None:
    assert let_in(door, door.token(door.alice, session=False).token, None, origin=None)


def test_it_takes_the_cookie_of_an_api_tokens_own_user(door: Door) -> None:
    assert let_in(door, door.token(door.alice, session=False).token, door.alice.second)


def test_it_takes_a_dead_cookie_beside_an_api_token(door: Door) -> None:
    assert let_in(door, door.token(door.alice, session=False).token, "ended")


def test_it_refuses_another_persons_cookie_beside_an_api_token(door: Door) -> None:
    assert door.refusal(door.token(door.alice, session=False).token, cookie=door.bob.session) == 403


@pytest.mark.parametrize(
    "origin", ["http://elsewhere.test", "http://webvirt.test", f"http://{HOST}.elsewhere.test", "null"]
)
def test_it_refuses_a_foreign_origin_and_keeps_the_token_good(door: Door, origin: str) -> None:
    token = door.token(door.alice).token
    assert door.refusal(token, cookie=door.alice.session, origin=origin) == 403
    assert let_in(door, token, door.alice.session)


def test_it_refuses_whoever_lost_the_right_since_the_minting(door: Door) -> None:
    token = door.token(door.bob).token
    door.shell("from accounts.models import Grant; Grant.objects.filter(user__username='bob').update(role='viewer')")
    assert door.refusal(token, cookie=door.bob.session) == 403


def test_it_refuses_a_disabled_user(door: Door) -> None:
    token = door.token(door.bob, session=False).token
    door.shell(
        "from accounts.models import Grant, User; Grant.objects.update(role='operator');"
        "User.objects.filter(username='bob').update(is_active=False)"
    )
    assert door.refusal(token) == 403


def test_its_parent_holds_nothing_that_a_fork_would_share(door: Door) -> None:
    assert let_in(door, door.token(door.alice).token, door.alice.session)
    proc = Path(f"/proc/{door.process.pid}")
    wait_for(lambda: not door.children())
    assert len(list((proc / "task").iterdir())) == 1
    opened = [str(fd.readlink()) for fd in (proc / "fd").iterdir()]
    assert sum(name.startswith("socket:") for name in opened) == 1
    assert not any("sqlite" in name for name in opened)


def test_its_socket_is_for_its_own_user_alone(door: Door) -> None:
    assert door.socket.stat().st_mode & 0o777 == 0o600


def test_no_token_comes_into_a_log(door: Door) -> None:
    assert let_in(door, (token := door.token(door.alice).token), door.alice.session)
    assert door.refusal("not-a-token-but-looks-like-one") == 403
    wait_for(lambda: not door.children())
    assert "Consoles are opened at" in door.log.read_text()
    assert not re.search(r"token=|not-a-token", door.log.read_text())
    assert token not in door.log.read_text()
