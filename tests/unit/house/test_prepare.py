"""The first account and the first host."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pytest_django import Settings

from accounts.models import User
from hosts.models import Host
from tasks.models import Task
from webvirt.prepare import LOCAL_URI, add_local_host, keep_private, make_admin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.DATA = tmp_path
    monkeypatch.delenv("WEBVIRT_ADMIN_PASSWORD", raising=False)
    yield


def test_the_database_is_nobody_elses_to_read(tmp_path: Path) -> None:
    files = [tmp_path / f"webvirt.sqlite3{end}" for end in ("", "-wal", "-shm")]
    for path in files:
        path.touch(0o644)
    keep_private(files[0])
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_the_admin_gets_a_password_that_works_and_is_said_once() -> None:
    password = make_admin()
    admin = User.objects.get(username="admin")
    assert admin.is_superuser
    assert admin.check_password(password)
    assert make_admin() == ""


def test_a_given_password_is_used_and_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBVIRT_ADMIN_PASSWORD", "a given password")
    assert make_admin() == "a given password"
    assert User.objects.get(username="admin").check_password("a given password")
    assert make_admin() == "a given password"


def test_another_password_given_later_changes_nothing_and_is_not_said_to_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make_admin()
    monkeypatch.setenv("WEBVIRT_ADMIN_PASSWORD", "another password")
    assert make_admin() == ""
    assert User.objects.get(username="admin").check_password(first)
    said = capsys.readouterr().err
    assert "changepassword admin" in said
    assert "another password" not in said.replace("has another password", "")


def test_this_machine_is_the_first_host_with_its_pool_and_network(redis_server: redis.Redis) -> None:
    make_admin()
    add_local_host()
    assert Host.objects.get().uri == LOCAL_URI
    assert set(Task.objects.values_list("object_type", "object_name")) == {("pool", "default"), ("network", "default")}


def test_who_removes_this_machine_keeps_it_removed(redis_server: redis.Redis) -> None:
    make_admin()
    add_local_host()
    Host.objects.all().delete()
    add_local_host()
    assert not Host.objects.exists()


def test_this_machine_is_left_out_when_told_so(settings: Settings) -> None:
    settings.LOCAL_HOST = False
    make_admin()
    add_local_host()
    assert not Host.objects.exists()
