"""The checklist of a host from asking to reading: in any state, in the reader's language, from page, API and shell."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import CommandError, call_command
from django.utils import translation

from hosts import jobs
from hosts.checks import last_check, told
from hosts.keys import own_public_key, public_key_of
from hosts.management.commands import host as command
from hosts.models import Host, HostStatus
from hosts.secrets import Secrets, seal
from hosts.services import check_host
from tasks import runner
from tasks.models import Task
from tests.unit.world import World, make_host

KEPT = {
    "name": "pool", "state": "ok", "title": "pool %(name)s, %(free_bytes)s free", "detail": "", "hint": "",
    "command": "", "where": "", "params": {"name": "default", "free_bytes": str(431 * 1024**3)}, "libvirt": "",
}  # fmt: skip
BROKEN = {
    "name": "daemon", "state": "failed", "title": "does not run",
    "detail": "Neither libvirtd nor virtqemud listens at libvirt's socket.", "hint": "",
    "command": "systemctl a  # Debian, Ubuntu\nsystemctl b  # RHEL, Fedora", "where": "host", "params": {},
    "libvirt": "Failed to connect <socket>",
}  # fmt: skip


@pytest.fixture
def memory(world: World, redis_server: redis.Redis) -> Host:
    """A host in memory, which the monitor has not reached."""
    Host.objects.filter(pk=world.host.pk).update(uri="test:///default")
    HostStatus.objects.filter(host=world.host).update(state=HostStatus.State.DOWN)
    return Host.objects.get(pk=world.host.pk)


def checked(world: World, host: Host) -> Task:
    task = check_host(host=host, actor=world.admin)
    runner.run(task.pk)
    task.refresh_from_db()
    return task


def answered(world: World, lines: list[dict[str, Any]], state: str = Task.State.SUCCEEDED) -> Task:
    task = check_host(host=world.host, actor=world.admin)
    Task.objects.filter(pk=task.pk).update(state=state, result=lines, ended_at=task.created_at)
    return Task.objects.get(pk=task.pk)


def page(world: World, query: str = "") -> str:
    answer = world.client("admin").get(f"/hosts/{world.host.pk}/check/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_host_that_is_down_is_looked_at_all_the_same(world: World, memory: Host) -> None:
    task = checked(world, memory)
    assert task.state == Task.State.SUCCEEDED
    assert [line["name"] for line in task.result] == ["daemon", "versions", "pool", "network", "memory"]
    assert task.arguments == {"uri": "test:///default"}


def test_what_is_found_shows_as_it_is_found(world: World, memory: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[tuple[str, str]]] = []

    def look(context: Any, result: list[dict[str, Any]]) -> None:
        seen.append([(line["name"], line["state"]) for line in result])

    monkeypatch.setattr("tasks.context.Context.so_far", look)
    checked(world, memory)
    assert seen[0][:2] == [("daemon", "ok"), ("versions", "waiting")]
    assert [len(lines) for lines in seen] == [5] * 5
    assert all(state != "waiting" for _name, state in seen[-1])


def test_one_under_way_is_answered_and_not_asked_for_twice(world: World, memory: Host) -> None:
    first = check_host(host=memory, actor=world.admin)
    assert check_host(host=memory, actor=world.admin) == first
    runner.run(first.pk)
    assert check_host(host=memory, actor=world.admin) != first


def test_the_key_that_is_to_be_let_in_is_the_one_that_is_used(
    world: World, memory: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(jobs, "check", lambda access, let_in: iter([shown.append(let_in)][:0]))
    checked(world, memory)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    Host.objects.filter(pk=memory.pk).update(sealed=seal(Secrets(private_key=pem)))
    checked(world, memory)
    assert own_public_key() in shown[0] and public_key_of(pem) in shown[1]


def test_secrets_that_cannot_be_read_are_said_to_be_so(world: World, memory: Host) -> None:
    Host.objects.filter(pk=memory.pk).update(sealed="gAAAAABotherkey")
    task = checked(world, memory)
    assert task.state == Task.State.FAILED
    assert "cannot be read with the key" in page(world)


def test_a_password_is_in_no_line(world: World, memory: Host) -> None:
    word = "horse-battery-77"
    uri = "qemu+tcp://mei@127.0.0.1:1/system"
    Host.objects.filter(pk=memory.pk).update(uri=uri, sealed=seal(Secrets(password=word)))
    task = checked(world, Host.objects.get(pk=memory.pk))
    assert task.result[1]["state"] == "failed"
    assert word not in json.dumps(task.result)


def test_lines_are_read_in_the_readers_language() -> None:
    with translation.override("zh-hans"):
        line = told([KEPT])[0]
    assert "default" in line["title"] and "431 GiB" in line["title"]
    assert "free" not in line["title"]
    assert told([KEPT])[0]["title"] == "pool default, 431 GiB free"
    assert "params" not in line


def test_the_page_ticks_what_works_and_opens_what_does_not(world: World, redis_server: redis.Redis) -> None:
    assert "Not looked at yet." in page(world)
    answered(world, [KEPT, BROKEN, {**KEPT, "name": "network", "state": "not_tried", "title": ""}])
    text = page(world)
    assert "1 of 3 passed" in text and "1 needs you" in text
    assert "pool default, 431 GiB free" in text
    assert "Neither libvirtd nor virtqemud listens at libvirt&#x27;s socket." in text
    assert "Run this on kvm-01, as root:" in text
    assert '<code id="check-daemon-2">systemctl b</code>' in text
    assert "RHEL, Fedora" in text
    assert "Failed to connect &lt;socket&gt;" in text
    assert "not tried, because of the above" in text
    assert "Check again" in text
    assert "<html" not in page(world, "?block=check")


def test_while_it_runs_the_page_waits_with_it(world: World, redis_server: redis.Redis) -> None:
    task = answered(world, [KEPT, {**KEPT, "name": "network", "state": "waiting", "title": ""}], Task.State.RUNNING)
    text = page(world)
    assert "Looking…" in text
    assert f"task:{task.pk}" in text
    assert last_check(world.host).running


def test_what_was_found_at_another_address_is_not_shown(world: World, redis_server: redis.Redis) -> None:
    answered(world, [KEPT])
    Host.objects.filter(pk=world.host.pk).update(uri="qemu+tcp://10.0.0.9/system")
    assert "Not looked at yet." in page(world)


def test_one_that_failed_before_the_host_was_reached_is_asked_for_again_by_its_page(
    world: World, redis_server: redis.Redis
) -> None:
    task = answered(world, [KEPT, BROKEN])
    for began, again in ((-1, True), (1, False)):
        HostStatus.objects.update(since=task.created_at)
        Task.objects.update(started_at=task.created_at + timedelta(seconds=began))
        assert ("data-ask-now" in page(world)) == again
    Task.objects.update(started_at=task.created_at - timedelta(seconds=1))
    HostStatus.objects.update(state=HostStatus.State.DOWN)
    assert "data-ask-now" not in page(world)
    HostStatus.objects.update(state=HostStatus.State.UP)
    Task.objects.update(result=[KEPT])
    assert "data-ask-now" not in page(world)


def test_warnings_keep_no_host_from_being_good(world: World, redis_server: redis.Redis) -> None:
    assert not last_check(world.host).good
    answered(world, [KEPT, {**KEPT, "name": "kvm", "state": "warning"}])
    assert last_check(world.host).good
    answered(world, [BROKEN])
    assert not last_check(world.host).good


def test_the_button_answers_with_the_task(world: World, redis_server: redis.Redis) -> None:
    client = world.client("admin")
    answer = client.post(f"/hosts/{world.host.pk}/check/")
    assert (answer.status_code, answer["Location"]) == (302, f"/hosts/{world.host.pk}/check/")
    task = client.post(f"/hosts/{world.host.pk}/check/", headers={"X-Webvirt-Toast": "1"}).json()["task"]
    assert (task["kind"], task["title"]) == ("hosts.check", "Check kvm-01")


def test_the_api_asks_for_it_of_a_host_that_is_down(world: World, redis_server: redis.Redis) -> None:
    world.host_is_down()
    client = world.client("admin")
    answer = client.post(f"/api/v1/hosts/{world.host.pk}/check", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 202
    task = answer.json()["task"]
    assert answer["Location"].endswith(f"/api/v1/tasks/{task['id']}/")
    Task.objects.filter(pk=task["id"]).update(state=Task.State.SUCCEEDED, result=[BROKEN])
    read = client.get(answer["Location"], headers={"Accept-Language": "en"}).json()
    assert read["result"][0]["title"] == "does not run"
    assert set(read["result"][0]) == {
        "name", "label", "state", "title", "detail", "hint", "command", "where", "libvirt",
    }  # fmt: skip
    again = client.post(f"/api/v1/hosts/{world.host.pk}/check", headers={"Idempotency-Key": "k"})
    assert again.json()["task"]["id"] == task["id"]


# From the shell.


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes what is asked for at once."""
    monkeypatch.setattr(command, "check_host", lambda **asked: _run(check_host(**asked)))


def _run(task: Task) -> Task:
    runner.run(task.pk)
    return task


def test_the_shell_prints_every_line(world: World, memory: Host, worker: None) -> None:
    out = StringIO()
    call_command("host", "check", "kvm-01", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["good", "libvirt", "answers"]
    assert any(line.startswith("good") and "network default" in line for line in lines)


def test_the_shell_ends_with_1_where_something_failed(world: World, memory: Host, worker: None) -> None:
    Host.objects.filter(pk=memory.pk).update(uri="qemu+ssh://127.0.0.1:1/system")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("host", "check", "kvm-01", stdout=out)
    assert ended.value.code == 1
    text = out.getvalue()
    assert "port 1 is closed" in text
    assert "On kvm-01, as root:" in text
    assert "systemctl enable --now sshd  # RHEL, Fedora" in text
    assert "not tried" in text


def test_the_shell_says_when_no_worker_runs(world: World, memory: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "UNTAKEN_SECONDS", 0.0)
    with pytest.raises(CommandError, match="No worker takes the check"):
        call_command("host", "check", "kvm-01", stdout=StringIO())
    assert Task.objects.get(kind="hosts.check").state == Task.State.CANCELLED


def test_the_shell_knows_no_other_host(world: World) -> None:
    with pytest.raises(CommandError, match="There is no host nowhere"):
        call_command("host", "check", "nowhere", stdout=StringIO())


def test_another_hosts_check_is_its_own(world: World, redis_server: redis.Redis) -> None:
    answered(world, [KEPT])
    assert last_check(make_host("kvm-09")).task is None
