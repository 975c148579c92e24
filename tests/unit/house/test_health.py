"""/healthz: for load balancers, without a login."""

import pytest
import redis
from django.test import Client
from pytest_django import Settings


@pytest.mark.django_db
def test_it_says_ok_to_a_stranger(client: Client, redis_server: redis.Redis) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.content.strip() == b"ok"


@pytest.mark.django_db
def test_it_names_what_does_not_answer(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert b"redis" in answer.content
    assert b"database" not in answer.content


@pytest.mark.django_db
def test_it_changes_nothing(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
