"""A Webvirt whose database is PostgreSQL and whose Redis is another's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.guests import ipxe_guest
from tests.program import Program
from tests.services import a_password, postgresql, redis_at_a_port
from tests.stack import HOME, Stack
from tests.virsh import virsh
from tests.waiting import wait_for
from webvirt.processes import PROGRAMS, recorded_group

SECRETS = (a_password(), a_password())
REPLACED_SECONDS = 15.0


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    of_database, of_redis = SECRETS
    with ExitStack() as open_:
        url = open_.enter_context(postgresql(of_database))
        queue = open_.enter_context(redis_at_a_port(tmp_path_factory.mktemp("redis"), of_redis))
        settings = {"WEBVIRT_DATABASE_URL": url, "WEBVIRT_REDIS_URL": queue}
        yield open_.enter_context(Stack(tmp_path_factory.mktemp("apart"), **settings))


def test_all_its_parts_work(apart: Stack) -> None:
    wait_for(lambda: not apart.doctor(), 40)
    assert not (apart.data / "webvirt.sqlite3").exists()
    assert recorded_group(apart.data / "run", "redis") is None


def test_a_guest_is_made_shown_and_deleted(apart: Stack) -> None:
    program = Program.of(apart, "apart")
    host = program.get("hosts/")["results"][0]
    name = f"t-apart-{os.getpid()}"
    made = program.change("POST", "instances/", {"name": name, "host": host["id"], "start": True})
    try:
        assert made["state"] == "succeeded", made
        (guest,) = program.get(f"instances/?search={name}")["results"]
        assert (guest["state"], virsh("domstate", name)) == ("running", "running")
        assert program.send("POST", f"instances/{guest['id']}/console", {"type": "vnc"}).status == 200
        assert program.change("POST", f"instances/{guest['id']}/destroy")["state"] == "succeeded"
        deleted = program.change("DELETE", f"instances/{guest['id']}/?volumes=delete")
        assert deleted["state"] == "succeeded", deleted
        assert program.get(f"instances/?search={name}")["count"] == 0
    finally:
        virsh("destroy", name)
        virsh("undefine", name, "--remove-all-storage")


def test_no_search_is_too_strange_for_it(apart: Stack) -> None:
    """PostgreSQL takes no NUL in a text."""
    paths = [f"/{list_}/?q=a%00b" for list_ in ("instances", "hosts", "storage", "networks", "tasks", "search")]
    walk = (
        "from django.test import Client\nfrom accounts.models import User\nfrom storage.models import Pool\n"
        "client = Client(HTTP_HOST='localhost')\nclient.force_login(User.objects.get(username='admin'))\n"
        f"paths = {paths} + [f'/storage/{{pool.pk}}/?q=a%00b' for pool in Pool.objects.all()]\n"
        "print(*{client.get(path).status_code for path in paths})"
    )
    said = apart.manage("shell", "-v0", "--command", walk)
    assert said.stdout.strip() == "200", said.stderr


def test_another_monitor_reads_on_for_one_that_stands_still_and_both_write_no_lie(apart: Stack) -> None:
    program = Program.of(apart, "another monitor")
    recorded = recorded_group(apart.data / "run", "monitor")
    assert recorded
    second = [sys.executable, str(HOME / "manage.py"), "monitor"]
    with ipxe_guest("t-apart") as (uuid, name):

        def state() -> str | None:
            found = program.get(f"instances/?uuid={uuid}")["results"]
            return found[0]["state"] if found else None

        wait_for(lambda: state() == "shutoff", 30)
        os.kill(recorded[0], signal.SIGSTOP)
        other = None
        try:
            other = subprocess.Popen(second, env=apart.environment, stderr=subprocess.DEVNULL)
            virsh("start", name)
            wait_for(lambda: state() == "running", REPLACED_SECONDS + 15)
        finally:
            os.kill(recorded[0], signal.SIGCONT)
            if other:
                other.terminate()
                other.wait(timeout=20)
        virsh("destroy", name)
        wait_for(lambda: state() == "shutoff", REPLACED_SECONDS)


def test_passwords_of_both_are_in_no_log_and_no_command_line(apart: Stack) -> None:
    recorded = [recorded_group(apart.data / "run", name) for name in PROGRAMS]
    lines = [Path(f"/proc/{one[0]}/cmdline").read_bytes() for one in recorded if one]
    logs = [log.read_bytes() for log in (apart.data / "log").iterdir()]
    assert lines
    assert logs
    for secret in SECRETS:
        assert not [text for text in lines + logs if secret.encode() in text]
