"""The key by which a host by ssh is known: shown, compared, confirmed, and loud when it is another."""

import re
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from hosts.access import access_to
from hosts.models import Host
from hosts.services import change_address, offered_keys, trust_key
from monitor import status
from tasks.errors import HostAway
from tests.unit.hosts.connecting import NEW, OLD, OTHER, SSH, post, shows, steps, text_of
from tests.unit.world import World
from virt.errors import HostKeyChanged, HostKeyUnknown


def test_the_key_that_is_shown_is_the_one_that_is_trusted(
    world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    shows(monkeypatch, OLD, NEW)
    client = world.client("admin")
    text = text_of(client.get(f"/hosts/{ssh.pk}/keys/", headers={"HX-Request": "true"}))
    assert OLD.fingerprint in text and "<html" not in text
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in text
    key = re.search(r'name="key" value="([^"]+)"', text)
    assert key
    assert client.post(f"/hosts/{ssh.pk}/trust/", {"key": key[1]}).status_code == 302
    ssh.refresh_from_db()
    assert (ssh.host_key, ssh.host_key_by) == (str(OLD), "admin")


def test_a_host_that_shows_no_key_says_why_and_can_be_tried_again(
    world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*args: Any, **options: Any) -> None:
        raise HostAway("No ssh server answers at 10.0.0.14, port 22.")

    monkeypatch.setattr("hosts.services.ask", silent)
    answer = world.client("admin").get(f"/hosts/{ssh.pk}/keys/")
    assert answer.status_code == 200
    assert "No ssh server answers" in text_of(answer) and "Try again" in text_of(answer)


def test_a_key_that_was_shown_before_the_host_was_lost_is_not_told_as_todays(
    world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [OLD]
    told: dict[str, list[str]] = {}

    def ask(host_id: int, name: str, arguments: dict[str, str], timeout: float) -> list[str]:
        """As the real one shares answers: the same to the same question."""
        return told.setdefault(str(arguments), [str(key) for key in shown])

    monkeypatch.setattr("hosts.services.ask", ask)
    client, url = world.client("admin"), f"/hosts/{ssh.pk}/keys/"
    trust_key(ssh, key=OLD, actor=world.admin)
    status.up(ssh.pk)
    text = text_of(client.get(url))
    assert "shows the key that was confirmed" in text
    assert "load delay:5s" in text, "that may change while the page is open"
    shown[:] = [NEW]
    status.lost(ssh.pk, HostKeyChanged(), answered_at=None)
    assert NEW.fingerprint in text_of(client.get(url))


def after_its_key_changed(world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch) -> Client:
    """An administrator's browser, where the host shows another key than the confirmed one."""
    trust_key(ssh, key=OLD, actor=world.admin)
    status.lost(ssh.pk, HostKeyChanged(), answered_at=None)
    shows(monkeypatch, NEW)
    return world.client("admin")


def test_a_changed_key_is_loud_and_accepted_by_name_alone(
    world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = after_its_key_changed(world, ssh, monkeypatch)
    for url in (f"/hosts/{ssh.pk}/", f"/hosts/{ssh.pk}/connect/"):
        assert "kvm-04 shows another key" in text_of(client.get(url))
    assert "kvm-04 shows another key" in text_of(client.get("/"))
    block = text_of(client.get(f"/hosts/{ssh.pk}/keys/"))
    assert OLD.fingerprint in block and NEW.fingerprint in block
    status.up(ssh.pk)
    status.lost(ssh.pk, HostKeyChanged(), answered_at=None)
    assert steps(world, ssh).now == 3
    for typed in ("", "kvm-01"):
        answer = client.post(f"/hosts/{ssh.pk}/trust/", {"key": str(NEW), "confirm": typed})
        ssh.refresh_from_db()
        assert (answer.status_code, ssh.host_key) == (400, str(OLD))
    client.post(f"/hosts/{ssh.pk}/trust/", {"key": str(NEW), "confirm": "kvm-04"})
    ssh.refresh_from_db()
    assert ssh.host_key == str(NEW)


def test_at_another_address_the_key_is_confirmed_anew_and_the_old_one_accepts_nobody(
    world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = after_its_key_changed(world, ssh, monkeypatch)
    assert "confirmed anew" in text_of(client.get(f"/hosts/{ssh.pk}/address/"))
    answer = post(client, f"/hosts/{ssh.pk}/address/", host="10.0.0.15")
    ssh.refresh_from_db()
    assert (answer.status_code, ssh.host_key, ssh.host_key_at, ssh.host_key_by) == (302, "", None, "")
    with access_to(ssh) as access, pytest.raises(HostKeyUnknown):
        _ = access.address
    for url in (f"/hosts/{ssh.pk}/connect/", "/"):
        assert "shows another key" not in text_of(client.get(url)), "that was at the other address"
    assert f"/hosts/{ssh.pk}/keys/" in text_of(client.get(answer["Location"]))
    block = text_of(client.get(f"/hosts/{ssh.pk}/keys/"))
    assert NEW.fingerprint in block and "trust this machine" in block
    client.post(f"/hosts/{ssh.pk}/trust/", {"key": str(NEW)})
    ssh.refresh_from_db()
    assert ssh.host_key == str(NEW)


@pytest.mark.parametrize("change", ["key", "address"])
def test_what_was_changed_by_another_meanwhile_is_not_overwritten(
    world: World, ssh: Host, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    client = after_its_key_changed(world, ssh, monkeypatch)
    form = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text_of(client.get(f"/hosts/{ssh.pk}/keys/")))
    )
    if change == "key":
        trust_key(ssh, key=OTHER, actor=world.admin)
    else:
        change_address(ssh, actor=world.admin, uri="qemu+ssh://webvirt@10.0.0.99/system")
    kept = ssh.host_key
    answer = client.post(f"/hosts/{ssh.pk}/trust/", {**form, "confirm": "kvm-04"})
    ssh.refresh_from_db()
    assert (answer.status_code, ssh.host_key) == (409, kept)
    assert "changed meanwhile" in text_of(answer)
    trust_key(ssh, key=NEW, actor=world.admin)
    assert client.post(f"/hosts/{ssh.pk}/trust/", {**form, "confirm": ""}).status_code == 302, "both accepted it"


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("qemu+ssh://root@10.0.0.14:2222/session", True),
        ("qemu+tls://10.0.0.14/system", True),
        ("qemu+ssh://webvirt@10.0.0.15/system", False),
        ("qemu+tls://kvm-04.example/system", False),
        ("qemu:///system", False),
    ],
)
def test_a_confirmed_key_stays_while_the_address_leads_to_the_same_place(
    world: World, ssh: Host, uri: str, kept: bool
) -> None:
    trust_key(ssh, key=OLD, actor=world.admin)
    change_address(ssh, actor=world.admin, uri=uri)
    ssh.refresh_from_db()
    assert (ssh.host_key, ssh.host_key_by) == ((str(OLD), "admin") if kept else ("", ""))


def test_who_is_no_administrator_is_told_and_asked_nothing(world: World) -> None:
    Host.objects.filter(pk=world.host.pk).update(uri=SSH, host_key=str(OLD))
    status.lost(world.host.pk, HostKeyChanged(), answered_at=None)
    text = text_of(world.client("manager").get(f"/hosts/{world.host.pk}/"))
    assert "Ask an administrator" in text and "/keys/" not in text


@pytest.mark.parametrize("key", ["", "x", "ssh-rsa AAAA", "ssh-ed25519 -"])
def test_what_is_no_key_is_not_trusted(world: World, ssh: Host, key: str) -> None:
    assert world.client("admin").post(f"/hosts/{ssh.pk}/trust/", {"key": key}).status_code == 400
    ssh.refresh_from_db()
    assert ssh.host_key == ""


def test_a_host_without_ssh_has_no_key_to_trust(world: World) -> None:
    url = f"/hosts/{world.host.pk}/"
    assert "not reached by ssh" in text_of(world.client("admin").get(f"{url}keys/"))
    assert world.client("admin").post(f"{url}trust/", {"key": str(OLD)}).status_code == 409


def test_only_an_admin_asks_for_keys(world: World, ssh: Host) -> None:
    for act in (lambda: offered_keys(ssh, actor=world.manager), lambda: change_address(ssh, actor=world.manager)):
        with pytest.raises(PermissionDenied):
            act()
