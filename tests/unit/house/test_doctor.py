"""doctor: what does not work, and what to do."""

from io import StringIO

import pytest
import redis
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from hosts.services import add_host
from storage.services import ensure_default_pool
from tasks.models import Task
from webvirt import alive
from webvirt.processes import PROGRAMS

pytestmark = pytest.mark.django_db


def examine() -> tuple[int, list[str]]:
    """The exit status, and the lines of what does not work."""
    said = StringIO()
    status = 0
    try:
        call_command("doctor", stdout=said)
    except SystemExit as end:
        status = int(str(end.code))
    return status, [line for line in said.getvalue().splitlines() if line.startswith("FAILED")]


def test_it_names_every_program_that_does_not_run_and_its_log(redis_server: redis.Redis) -> None:
    status, failed = examine()
    assert status == 1
    for name in PROGRAMS:
        if name != "redis":
            assert any(f" {name}: " in line and f"{name}.log" in line for line in failed)


def test_it_names_the_address_at_which_it_asked_nginx(
    redis_server: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been started with another port than doctor is."""
    settings.PORT = 1
    monkeypatch.setattr("webvirt.processes.is_alive", lambda run, name: name == "nginx")
    assert any("nginx: " in line and "http://127.0.0.1:1/" in line for line in examine()[1])


def test_it_says_that_redis_is_away(settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    assert any("Redis" in line for line in examine()[1])


def test_it_tells_what_the_first_start_could_not_make(redis_server: redis.Redis) -> None:
    admin = User.objects.create_superuser("admin")
    task = ensure_default_pool(host=add_host(name="here", uri="test:///default", actor=admin), actor=admin)
    error = {"title": "No pool", "detail": "The folder is a %(what)s.", "hint": "Move it.", "params": {"what": "file"}}
    Task.objects.filter(pk=task.pk).update(state=Task.State.FAILED, error=error)
    assert any(line.endswith("No pool: The folder is a file. Move it.") for line in examine()[1])


def test_a_sign_of_life_is_heard_until_it_runs_out(redis_server: redis.Redis) -> None:
    assert not alive.heard("monitor")
    alive.say("monitor")
    assert alive.heard("monitor")
    assert 0 < redis_server.ttl("webvirt:alive:monitor") <= alive.SECONDS


def test_of_several_monitors_each_speaks_for_itself(redis_server: redis.Redis) -> None:
    alive.say("monitor", "one of them")
    assert alive.heard("monitor")
    assert alive.heard("monitor", "one of them")
    assert not alive.heard("monitor", "another")
