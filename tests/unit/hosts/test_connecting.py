"""Adding a host as a conversation: the form, and the steps after it."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hosts.access import access_to
from hosts.keys import own_key, own_public_key
from hosts.letting_in import paste_line
from hosts.models import Host, HostStatus
from hosts.secrets import Secrets, seal, unseal
from hosts.services import add_host, change_address, trust_key
from monitor import status
from tasks.errors import Invalid
from tasks.models import Task
from tests.unit.hosts.connecting import OLD, post, steps, text_of
from tests.unit.hosts.test_pem import CA, CERTIFICATE, GOOD, KEY
from tests.unit.world import World
from virt.errors import Denied, HostKeyUnknown, KeyRefused, PasswordRefused, VirtError


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return {field: [str(word) for word in words] for field, words in answer.context["form"].errors.items()}


@pytest.mark.parametrize(
    ("fields", "uri"),
    [
        ({"host": "10.0.0.14"}, "qemu+ssh://webvirt@10.0.0.14/system"),
        ({"host": "[fd00::1]", "port": "2222", "user": "root"}, "qemu+ssh://root@[fd00::1]:2222/system"),
        ({"host": "h", "scope": "session", "socket": "/run/x y"}, "qemu+ssh://webvirt@h/session?socket=/run/x%20y"),
        ({"how": "tcp", "host": "h", "login": "mei@LAB", "password": "w"}, "qemu+tcp://mei%40LAB@h/system"),
        ({"how": "tcp", "host": "h", "socket": "/run/x", "scope": "session"}, "qemu+tcp://h/system"),
        ({"how": "tls", "host": "h", "port": "99"}, "qemu+tls://h:99/system"),
        ({"how": "local", "host": "passed-over"}, "qemu:///system"),
        ({"how": "local", "scope": "session", "socket": "/run/x"}, "qemu+unix:///session?socket=/run/x"),
        ({"how": "own", "uri": "lxc+ssh://root@h/", "host": "-x"}, "lxc+ssh://root@h/"),
    ],
)
def test_the_form_makes_the_address(world: World, fields: dict[str, str], uri: str) -> None:
    client = world.client("admin")
    answer = post(client, **fields)
    host = Host.objects.get(name="new")
    assert (answer.status_code, answer["Location"], host.uri) == (302, f"/hosts/{host.pk}/connect/", uri)
    if "uri" not in fields:
        assert client.get("/hosts/add/", {**fields, "block": "uri", "how": fields.get("how", "ssh"),
                          "user": fields.get("user", "webvirt")}).content.decode() == uri  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "kvm-01"}, "name"),
        ({"host": ""}, "host"),
        ({"host": "kvm:22"}, "host"),
        ({"host": "-oProxyCommand=x"}, "host"),
        ({"port": "0"}, "port"),
        ({"user": ""}, "user"),
        ({"user": "-l"}, "host"),
        ({"how": "smoke"}, "how"),
        ({"how": "tcp", "password": "word"}, "login"),
        ({"how": "tcp", "login": "mei"}, "password"),
        ({"how": "own", "uri": "qemu+ext://h/system"}, "uri"),
        ({"how": "own", "uri": ""}, "uri"),
        ({"private_key": "x"}, "private_key"),
        ({"how": "tls", "client_certificate": CERTIFICATE, "ca_certificate": CA}, "client_key"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(world: World, fields: dict[str, str], field: str) -> None:
    answer = post(world.client("admin"), **{"host": "h", **fields})
    assert field in errors(answer)
    assert Host.objects.count() == 2


def test_pasted_text_is_kept_as_programs_read_it(world: World) -> None:
    pasted = {name: text.replace("\n", "\r\n") for name, text in GOOD.items()}
    post(world.client("admin"), how="tls", host="h", **pasted)
    kept = unseal(Host.objects.get(name="new").sealed)
    assert (kept.ca_certificate, kept.client_certificate, kept.client_key) == (CA, CERTIFICATE, KEY)


def test_what_another_way_would_need_is_not_kept(world: World) -> None:
    post(world.client("admin"), host="h", password="word", login="mei", client_key="x")
    assert Host.objects.get(name="new").sealed == ""


def test_a_secret_is_kept_changed_or_forgotten_and_never_shown(world: World) -> None:
    client = world.client("admin")
    post(client, how="tcp", host="h", login="mei", password="first-word")
    host = Host.objects.get(name="new")
    url = f"/hosts/{host.pk}/address/"
    shown = text_of(client.get(url))
    assert "One is kept." in shown and "first-word" not in shown
    sealed = host.sealed
    assert post(client, url, how="tcp", host="h2", login="mei").status_code == 302
    host.refresh_from_db()
    assert (host.uri, host.sealed) == ("qemu+tcp://mei@h2/system", sealed)
    post(client, url, how="tcp", host="h2", login="mei", password="second-word")
    host.refresh_from_db()
    assert unseal(host.sealed).password == "second-word"
    assert "password" in errors(post(client, url, how="tcp", host="h2", login="mei", remove_password="on"))
    post(client, url, how="tcp", host="h2", remove_password="on")
    host.refresh_from_db()
    assert (host.uri, host.sealed) == ("qemu+tcp://h2/system", "")


def test_what_the_new_address_does_not_use_is_forgotten(world: World) -> None:
    client = world.client("admin")
    post(client, how="tcp", host="h", login="mei", password="word")
    host = Host.objects.get(name="new")
    post(client, f"/hosts/{host.pk}/address/", host="h")
    host.refresh_from_db()
    assert (host.uri, host.sealed) == ("qemu+ssh://webvirt@h/system", "")


def test_secrets_that_cannot_be_read_any_more_can_be_given_again(world: World) -> None:
    host = Host.objects.create(name="moved", uri="qemu+tcp://mei@h/system", sealed="gAAAAABotherkey")
    HostStatus.objects.create(host=host)
    client = world.client("admin")
    for page in ("address", "connect"):
        assert client.get(f"/hosts/{host.pk}/{page}/").status_code == 200
    change_address(host, actor=world.admin, uri="qemu+tcp://mei@h2/system")
    assert host.sealed == "gAAAAABotherkey"
    change_address(host, actor=world.admin, secrets={"password": "word"})
    assert unseal(host.sealed).password == "word"


def test_a_host_whose_secrets_cannot_be_read_is_not_said_to_have_refused_them(world: World, ssh: Host) -> None:
    Host.objects.filter(pk=ssh.pk).update(sealed="gAAAAABotherkey", host_key=str(OLD))
    ssh.refresh_from_db()
    with pytest.raises(VirtError) as told, access_to(ssh):
        pass
    status.lost(ssh.pk, told.value, answered_at=time.time())
    client = world.client("admin")
    page = text_of(client.get(f"/hosts/{ssh.pk}/connect/"))
    assert "refused the password" not in page and "The key was accepted" not in page
    assert "What opens this host cannot be read" in page
    assert "What opens this host cannot be read" in text_of(client.get(f"/hosts/{ssh.pk}/address/"))
    open_to_all = Host.objects.create(name="lost", uri="qemu+tcp://mei@h/system", sealed="gAAAAABotherkey")
    HostStatus.objects.create(host=open_to_all)
    assert "No password is given" not in text_of(client.get(f"/hosts/{open_to_all.pk}/connect/"))


@pytest.mark.parametrize("way", [{"how": "ssh", "host": "h"}, {"how": "local", "host": ""}])
def test_secrets_that_cannot_be_read_are_forgotten_when_asked(world: World, ssh: Host, way: dict[str, str]) -> None:
    """Without it a host whose own ssh key is lost could not be opened with Webvirt's."""
    Host.objects.filter(pk=ssh.pk).update(sealed="gAAAAABotherkey")
    client, url = world.client("admin"), f"/hosts/{ssh.pk}/address/"
    post(client, url, **way)
    ssh.refresh_from_db()
    assert ssh.sealed == "gAAAAABotherkey"
    post(client, url, forget_lost="on", **way)
    ssh.refresh_from_db()
    assert ssh.sealed == ""


@pytest.fixture
def rubbish() -> Iterator[Path]:
    """What lies where Webvirt's own key should be."""
    path = own_key()
    kept = path.read_text()
    path.write_text("rubbish\n")
    try:
        yield path
    finally:
        path.write_text(kept)


def test_an_own_key_that_cannot_be_read_is_not_called_refused(world: World, ssh: Host, rubbish: Path) -> None:
    trust_key(ssh, key=OLD, actor=world.admin)
    with pytest.raises(VirtError) as told, access_to(ssh):
        pass
    status.lost(ssh.pk, told.value, answered_at=None)
    page = text_of(world.client("admin").get(f"/hosts/{ssh.pk}/connect/"))
    assert "Webvirt’s own SSH key cannot be read" in page.replace("'", "’") and str(rubbish) in page
    assert "The host refused the key" not in page and "authorized_keys" not in page
    with pytest.raises(CommandError, match="no private key"):
        call_command("host", "key")


def test_who_can_give_new_certificates_is_told_on_the_hosts_page_when_they_end(world: World) -> None:
    """The connection that stands outlives them, so that nothing else would tell before it breaks."""
    Host.objects.filter(pk=world.host.pk).update(uri="qemu+tls://h/system", sealed=seal(Secrets(**GOOD)))
    words = "Its certificates are good until "
    assert words in text_of(world.client("admin").get(f"/hosts/{world.host.pk}/"))
    assert words not in text_of(world.client("manager").get(f"/hosts/{world.host.pk}/"))
    Host.objects.filter(pk=world.host.pk).update(sealed="")
    assert words not in text_of(world.client("admin").get(f"/hosts/{world.host.pk}/"))


def test_a_form_that_comes_back_says_that_its_secrets_are_gone(world: World) -> None:
    answer = post(world.client("admin"), how="tls", host="", login="mei", password="first-word", **GOOD)
    text = text_of(answer)
    assert "first-word" not in text and KEY not in text
    assert CERTIFICATE.splitlines()[1] in text
    assert {"password", "client_key"} < set(errors(answer))


def test_a_key_for_an_address_that_takes_none_is_refused(world: World) -> None:
    with pytest.raises(Invalid) as told:
        change_address(world.host, actor=world.admin, secrets={"password": "word"})
    assert list(told.value.errors) == ["password"]


def test_the_steps_tick_as_the_host_lets_us_in(world: World, ssh: Host) -> None:
    status.lost(ssh.pk, HostKeyUnknown(), answered_at=None)
    assert (steps(world, ssh).now, steps(world, ssh).words) == (2, None)
    trust_key(ssh, key=OLD, actor=world.admin)
    assert (steps(world, ssh).now, steps(world, ssh).is_known) == (2, True)
    status.lost(ssh.pk, KeyRefused(), answered_at=None)
    assert "refused the key when it was last tried" in text_of(world.client("admin").get(f"/hosts/{ssh.pk}/connect/"))
    status.lost(ssh.pk, Denied(), answered_at=None)
    assert steps(world, ssh).now == 4
    status.up(ssh.pk)
    assert steps(world, ssh).now == 0
    text = text_of(world.client("admin").get(f"/hosts/{ssh.pk}/connect/?block=steps"))
    assert "Webvirt is connected." in text and OLD.fingerprint in text and "Confirmed by admin" in text
    assert "<html" not in text


def test_the_page_of_a_host_that_is_not_up_leads_back_to_the_steps(world: World, ssh: Host) -> None:
    link = f"/hosts/{ssh.pk}/connect/"
    assert link in text_of(world.client("admin").get(f"/hosts/{ssh.pk}/"))
    world.host_is_down()
    assert "/connect/" not in text_of(world.client("viewer").get(f"/hosts/{world.host.pk}/"))


def test_a_host_without_ssh_has_two_steps(world: World) -> None:
    host = add_host(name="new", uri="qemu+tcp://h/system", actor=world.admin)
    text = text_of(world.client("admin").get(f"/hosts/{host.pk}/connect/"))
    assert "Let Webvirt in" not in text and "No password is given." in text
    status.lost(host.pk, PasswordRefused(), answered_at=None)
    assert "does not accept this user and password" in text_of(world.client("admin").get(f"/hosts/{host.pk}/connect/"))


def test_the_end_of_certificates_is_told(world: World) -> None:
    post(world.client("admin"), how="tls", host="h", **GOOD)
    host = Host.objects.get(name="new")
    text = text_of(world.client("admin").get(f"/hosts/{host.pk}/connect/"))
    assert re.search(r"warn\">Its certificates are good until \d{4}-\d\d-\d\d\.", text)


def test_the_page_has_the_line_for_its_user_and_key(world: World, ssh: Host) -> None:
    text = text_of(world.client("admin").get(f"/hosts/{ssh.pk}/connect/"))
    assert paste_line("webvirt", own_public_key()) in text
    change_address(ssh, actor=world.admin, uri="qemu+ssh://root@10.0.0.14/system")
    text = text_of(world.client("admin").get(f"/hosts/{ssh.pk}/connect/"))
    assert "useradd" not in text and "~root/.ssh" in text


def test_a_key_of_ones_own_is_let_in_instead_of_ours(world: World, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    public = (tmp_path / "id.pub").read_text().split()[1]
    post(world.client("admin"), host="h", private_key=(tmp_path / "id").read_text())
    host = Host.objects.get(name="new")
    text = text_of(world.client("admin").get(f"/hosts/{host.pk}/connect/"))
    assert public in text and own_public_key() not in text
    assert own_key().read_text() not in text


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_line_is_one_that_shells_read(shell: str) -> None:
    for user in ("root", "webvirt", "a.b-c_d@LAB"):
        line = paste_line(user, own_public_key())
        assert "\n" not in line
        subprocess.run([shell, "-n", "-c", line], check=True)


def test_the_check_begins_as_soon_as_the_host_can_be_opened(world: World) -> None:
    client = world.client("admin")
    post(client, host="h")
    host = Host.objects.get(name="new")
    checks = Task.objects.filter(kind="hosts.check", host_id=host.pk)
    assert not checks.exists()
    assert "Not looked at yet" not in text_of(client.get(f"/hosts/{host.pk}/connect/"))
    client.post(f"/hosts/{host.pk}/trust/", {"key": str(OLD)})
    assert checks.count() == 1
    text = text_of(client.get(f"/hosts/{host.pk}/connect/"))
    assert "Looking…" in text
    post(client, name="local", how="local")
    assert Task.objects.filter(kind="hosts.check", host_name="local").exists()


def test_every_way_to_a_first_host_is_an_administrators(world: World) -> None:
    for name, told in (("admin", True), ("manager", False), ("stranger", False)):
        assert ("/hosts/add/" in text_of(world.client(name).get("/search/?q=add host"))) == told
    Host.objects.all().delete()
    for name, told in (("admin", True), ("stranger", False)):
        for url in ("/", "/hosts/"):
            assert ("/hosts/add/" in text_of(world.client(name).get(url))) == told
