"""What opens a host is in no row, page, task, message, answer or log line once it was given."""

import io
import json
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.apps import apps
from django.core import serializers
from django.core.management import CommandError, call_command

from hosts.access import access_to
from hosts.models import Host
from hosts.services import change_address
from monitor import status
from tests.unit.hosts.connecting import post
from tests.unit.hosts.test_pem import GOOD
from tests.unit.world import World
from virt.errors import PasswordRefused

WORD = "horse-battery-77"
MARK = 40  # so many characters in the middle of a PEM are like no other


@pytest.fixture
def private_key(tmp_path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    return (tmp_path / "id").read_text()


def marks(*secrets: str) -> list[str]:
    """What would be found of them wherever they were written, whatever was done to their line ends."""
    lines = [max(secret.splitlines(), key=len) for secret in secrets]
    return [line[len(line) // 3 :][:MARK] for line in lines]


def everything_told(world: World, hosts: list[Host]) -> Iterator[tuple[str, str]]:
    """All that Webvirt shows or keeps after hosts were added: where, and what."""
    for model in apps.get_models():
        yield model.__name__, serializers.serialize("json", model._default_manager.all())
    client = world.client("admin")
    urls = ["/", "/hosts/", "/hosts/add/", "/tasks/", "/search/?q=new", "/api/v1/hosts/", "/api/v1/schema/"]
    for host in hosts:
        urls += [f"/hosts/{host.pk}/", f"/hosts/{host.pk}/address/", f"/hosts/{host.pk}/connect/"]
        urls += [f"/api/v1/hosts/{host.pk}/"]
    for url in urls:
        answer = client.get(url)
        assert answer.status_code == 200, url
        yield url, answer.content.decode()


def test_secrets_are_in_nothing_that_is_told(
    world: World, redis_server: redis.Redis, caplog: pytest.LogCaptureFixture, private_key: str, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    client, answers = world.client("admin"), []
    # By the page, also with faults elsewhere in the form.
    for name in ("", "new-tcp"):
        answers.append(post(client, name=name, how="tcp", host="h", login="mei", password=WORD))
        answers.append(post(client, name=name and "new-ssh", host="h", private_key=private_key))
        answers.append(post(client, name=name and "new-tls", how="tls", host="h", **GOOD))
    # By the API, right and wrong.
    for name in ("api-tls", "kvm-01"):
        body = {"name": name, "uri": "qemu+tls://mei@h/system", "password": WORD, **GOOD}
        answers.append(client.post("/api/v1/hosts/", json.dumps(body), content_type="application/json"))
    # By the shell.
    (tmp_path / "key").write_text(private_key)
    out = io.StringIO()
    call_command("host", "add", "cli-ssh", "qemu+ssh://h/system", private_key=tmp_path / "key", stdout=out)
    with pytest.raises(CommandError) as told:
        call_command("host", "add", "cli-bad", "qemu:///system", private_key=tmp_path / "key", stdout=out)
    hosts = list(Host.objects.filter(sealed__gt=""))
    assert len(hosts) == 5
    for host in hosts:
        status.lost(host.pk, PasswordRefused(), answered_at=None)
        with access_to(host) as access:
            logging.getLogger(__name__).info("%r %s", access, access.uri)
    change_address(hosts[0], actor=world.admin, uri="qemu+tcp://mei@h2/system")

    found = [("page or answer", answer.content.decode()) for answer in answers]
    found += [("shell", out.getvalue() + str(told.value)), ("log", caplog.text), *everything_told(world, hosts)]
    for key in redis_server.scan_iter("*"):
        found.append((f"redis {key}", repr(redis_server.dump(key))))
    for where, text in found:
        for mark in marks(WORD, private_key, GOOD["client_key"]):
            assert mark not in text, where


def test_no_argument_of_the_command_is_a_secret(capsys: Any) -> None:
    """Arguments of a process are everybody's to read: only files and standard input bring secrets."""
    with pytest.raises(SystemExit):
        call_command("host", "add", "--help")
    options = [word for word in capsys.readouterr().out.split() if word.startswith(("--", "[--"))]
    given = {word.strip("[]") for word in options if any(name in word for name in ("password", "key", "certificate"))}
    assert given == {
        "--password-stdin", "--private-key", "--ca-certificate", "--client-certificate", "--client-key"
    }  # fmt: skip
