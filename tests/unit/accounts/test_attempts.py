"""How often somebody may try: for each name and each address, never for good, and not against who is known here."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.test import Client, RequestFactory

from accounts import attempts
from accounts.models import User
from tests.unit.world import World

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _nothing_tried_yet(redis_server: redis.Redis) -> Iterator[None]:
    yield
    attempts._own().storage.reset()


def log_in(name: str, word: str = "wrong", *, client: Client | None = None, address: str = "192.0.2.1") -> Any:
    asked = {"username": name, "password": word}
    return (client or Client()).post("/login/", asked, REMOTE_ADDR=address)


def test_a_name_is_held_up_after_ten_attempts_from_wherever_they_come(world: World) -> None:
    for place in range(10):
        assert log_in("viewer", address=f"192.0.2.{place}").status_code == 200
    answer = log_in("viewer", RIGHT, address="192.0.2.99")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 300
    assert "Too many attempts. Try again in 5 minutes." in answer.content.decode()
    assert 'value="viewer"' in answer.content.decode()
    assert log_in("operator", RIGHT, address="192.0.2.99").status_code == 302


def test_a_name_that_nobody_has_is_held_up_just_so(world: World) -> None:
    assert [log_in("nobody").status_code for _ in range(11)] == [200] * 10 + [429]


def test_an_address_is_held_up_whatever_names_it_tries(world: World) -> None:
    assert {log_in(f"guess-{number}").status_code for number in range(60)} == {200}
    assert log_in("viewer", RIGHT).status_code == 429
    assert log_in("viewer", RIGHT, address="192.0.2.2").status_code == 302


def test_nobody_is_locked_out_for_good_however_long_others_go_on(world: World, monkeypatch: Any) -> None:
    for _ in range(30):
        log_in("admin")
    late = 301.0
    monkeypatch.setattr("limits.storage.redis.time.time", lambda now=attempts.time.time: now() + late)
    assert log_in("admin", RIGHT).status_code == 302


def test_in_a_browser_that_is_known_only_its_own_attempts_count(world: World) -> None:
    known = Client()
    assert log_in("admin", RIGHT, client=known).status_code == 302
    known.post("/logout/")
    for number in range(70):
        log_in("admin" if number < 15 else f"guess-{number}")
    assert log_in("admin", RIGHT).status_code == 429
    assert log_in("admin", RIGHT, client=known).status_code == 302
    known.post("/logout/")
    # It is known for this one person alone, and is no way to guess without end.
    assert log_in("viewer", RIGHT, client=known).status_code == 429
    assert [log_in("admin", client=known).status_code for _ in range(11)] == [200] * 10 + [429]


def test_a_forged_browser_is_not_known(world: World) -> None:
    for _ in range(10):
        log_in("admin")
    forged = Client()
    forged.cookies[attempts.KNOWN] = f"{world.admin.pk}:00:forged:signature"
    assert log_in("admin", RIGHT, client=forged).status_code == 429


def test_who_gets_in_has_all_attempts_again(world: World) -> None:
    for _ in range(3):
        for _ in range(8):
            log_in("viewer")
        assert log_in("viewer", RIGHT).status_code == 302


def test_without_redis_each_process_counts_by_itself(
    world: World, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise redis.ConnectionError("away")

    for what in ("acquire_entry", "clear"):
        monkeypatch.setattr(attempts._shared().storage, what, away)
    with caplog.at_level(logging.WARNING):
        assert [log_in("viewer").status_code for _ in range(11)] == [200] * 10 + [429]
        assert log_in("operator", RIGHT).status_code == 302
    assert "by this process alone" in caplog.text


@pytest.mark.parametrize(
    ("remote", "counted"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", ""), ("unix:", "")],
)
def test_an_address_of_ipv6_counts_with_its_network(remote: str, counted: str) -> None:
    assert attempts.address_of(RequestFactory().get("/", REMOTE_ADDR=remote)) == counted


def test_unknown_tokens_hear_429_after_a_while_and_good_ones_do_not(world: World) -> None:
    secret = world.token("viewer")

    def ask(token: str) -> Any:
        return Client().get("/api/v1/hosts/", headers={"Authorization": f"Bearer {token}"})

    assert {ask(f"wv_{number}").status_code for number in range(60)} == {401}
    refused = ask("wv_wrong")
    assert refused.status_code == refused.json()["status"] == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused["Content-Type"] == "application/problem+json"
    assert ask(secret).status_code == 200


def test_the_login_page_says_how_a_password_is_set_anew(db: None) -> None:
    assert "manage.py changepassword" in Client().get("/login/").content.decode()


def new_password(client: Client, old: str, new: str = "quite another one") -> Any:
    return client.post(
        "/accounts/password/", {"old_password": old, "new_password1": new, "new_password2": new}, follow=True
    )


def test_a_new_password_ends_all_other_sessions(world: World) -> None:
    here, elsewhere, somebody = world.client("viewer"), world.client("viewer"), world.client("operator")
    answer = new_password(here, RIGHT)
    assert "Your password is changed" in answer.content.decode()
    assert here.get("/hosts/").status_code == somebody.get("/hosts/").status_code == 200
    assert elsewhere.get("/hosts/").status_code == 302
    assert User.objects.get(username="viewer").check_password("quite another one")


@pytest.mark.parametrize(("old", "new"), [("wrong", "quite another one"), (RIGHT, "short"), (RIGHT, "password123")])
def test_a_password_that_will_not_do_is_told_beside_its_field(world: World, old: str, new: str) -> None:
    answer = new_password(world.client("viewer"), old, new)
    assert (answer.status_code, "errorlist" in answer.content.decode()) == (200, True)
    assert User.objects.get(username="viewer").check_password(RIGHT)


def test_the_old_password_cannot_be_guessed_at_an_open_page(world: World) -> None:
    client = world.client("viewer")
    assert [new_password(client, "wrong").status_code for _ in range(11)] == [200] * 10 + [429]
    answer = new_password(client, RIGHT)
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
