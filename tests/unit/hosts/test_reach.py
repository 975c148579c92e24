"""What opens a host: keys that are made once, secrets that nobody reads, one host key that is trusted."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from celery.signals import worker_shutdown
from hypothesis import given
from hypothesis import strategies as st

from bench.sshd import sshd
from hosts.access import access_to, control_of
from hosts.keys import HostKey, own_key, own_public_key
from hosts.models import Host
from hosts.secrets import Secrets, seal, unseal
from hosts.services import add_host, trust_key
from tasks.errors import Invalid
from tests.stack import free_port
from tests.unit.hosts.test_pem import CA, CERTIFICATE, GOOD, KEY
from tests.unit.world import World
from tests.waiting import wait_for
from virt.access import Access
from virt.connection import open_connection
from virt.errors import HostKeyUnknown, PasswordRefused, Unreachable, Unsupported
from virt.passage import passage
from virt.ssh import run
from virt.transport import endpoint
from webvirt.celery import app
from webvirt.places import LONGEST_SOCKET_FOLDER
from webvirt.processes import Process

SSH = "qemu+ssh://webvirt@kvm.example:2222/system"


@pytest.fixture
def host_key(tmp_path: Path) -> HostKey:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "host")], check=True)
    return HostKey.parse((tmp_path / "host.pub").read_text())


def test_our_key_is_made_once_and_is_ours_alone() -> None:
    line = own_public_key()
    assert line.startswith("ssh-ed25519 ") and own_public_key() == line
    assert stat.S_IMODE(own_key().stat().st_mode) == 0o600
    told = subprocess.run(["ssh-keygen", "-y", "-f", str(own_key())], capture_output=True, text=True, check=True)
    assert told.stdout.split()[:2] == line.split()[:2]


def test_a_fingerprint_is_what_ssh_keygen_prints(tmp_path: Path, host_key: HostKey) -> None:
    told = subprocess.run(["ssh-keygen", "-lf", str(tmp_path / "host.pub")], capture_output=True, text=True, check=True)
    assert told.stdout.split()[1] == host_key.fingerprint
    assert host_key.algorithm == "ED25519"


@given(st.text(max_size=200))
def test_a_line_that_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        HostKey.parse(line)


@given(st.builds(Secrets, password=st.text(), private_key=st.text(), client_key=st.text()))
def test_secrets_come_back_whole(secrets: Secrets) -> None:
    assert unseal(seal(secrets)) == secrets


def test_secrets_are_read_by_nobody(world: World) -> None:
    word = "horse-battery-77"
    host = add_host(name="new", uri="qemu+tcp://mei@10.0.0.3/system", actor=world.admin, secrets=Secrets(password=word))
    assert word not in host.sealed
    assert word not in repr(unseal(host.sealed))
    with access_to(host) as access:
        assert (access.user, access.password) == ("mei", word)
        assert word not in repr(access) and word not in access.address


def test_secrets_that_were_sealed_elsewhere_are_said_to_be_unreadable(world: World) -> None:
    host = Host.objects.create(name="moved", uri="qemu+tcp://mei@10.0.0.3/system", sealed="gAAAAABotherkey")
    with pytest.raises(PasswordRefused, match="cannot be read"), access_to(host):
        pass


def test_an_ssh_host_without_a_confirmed_key_is_not_opened(world: World) -> None:
    host = add_host(name="new", uri=SSH, actor=world.admin)
    with access_to(host) as access, pytest.raises(HostKeyUnknown, match="confirmed"):
        _ = access.address


def test_ssh_trusts_the_pinned_key_alone(world: World, host_key: HostKey) -> None:
    host = add_host(name="new", uri=SSH, actor=world.admin)
    trust_key(host, key=host_key, actor=world.admin)
    with access_to(host) as access:
        assert access.ssh is not None
        told = subprocess.run([access.ssh, "-G", "kvm.example"], capture_output=True, text=True, check=True).stdout
        options = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
        assert options["stricthostkeychecking"] == "true"
        assert options["batchmode"] == "yes"
        assert options["hostkeyalias"] == "host"
        assert Path(options["userknownhostsfile"]).read_text() == f"host {host_key}\n"
        assert options["globalknownhostsfile"] == "/dev/null"
        assert options["identityfile"] == str(own_key())
        folder = access.ssh.parent
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600, 0o700}
    assert not folder.exists()


def test_a_key_of_their_own_is_used_instead_of_ours(world: World, host_key: HostKey) -> None:
    private = own_key().read_text()
    host = add_host(name="new", uri=SSH, actor=world.admin, secrets=Secrets(private_key=private))
    trust_key(host, key=host_key, actor=world.admin)
    with access_to(host) as access:
        assert access.ssh is not None and (access.ssh.parent / "id").read_text() == private


@pytest.mark.parametrize("text", ["x", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"])
def test_a_key_that_cannot_be_used_is_refused_at_its_field(world: World, text: str) -> None:
    with pytest.raises(Invalid) as told:
        add_host(name="new", uri=SSH, actor=world.admin, secrets=Secrets(private_key=text))
    assert list(told.value.errors) == ["private_key"]


def test_certificates_lie_where_libvirt_reads_them(world: World) -> None:
    given_ = Secrets(**GOOD)
    host = add_host(name="new", uri="qemu+tls://kvm.example/system", actor=world.admin, secrets=given_)
    with access_to(host) as access:
        assert access.pki is not None and access.address.endswith(f"pkipath={access.pki}")
        assert {path.name: path.read_text() for path in access.pki.iterdir()} == {
            "cacert.pem": CA,
            "clientcert.pem": CERTIFICATE,
            "clientkey.pem": KEY,
        }
    assert not access.pki.exists()


@pytest.mark.parametrize("name", ["command", "keyfile", "no_verify", "pkipath", "known_hosts", "netcat"])
def test_an_address_switches_no_check_off_and_runs_nothing(name: str) -> None:
    with pytest.raises(Unsupported) as told:
        endpoint(f"qemu+ssh://h/system?{name}=1")
    assert told.value.params == {"name": name}


def test_paths_with_odd_names_are_quoted_for_ssh(
    world: World, host_key: HostKey, settings: Any, tmp_path: Path
) -> None:
    settings.RUN = tmp_path / "a b%h"
    settings.RUN.mkdir()
    host = add_host(name="new", uri=SSH, actor=world.admin)
    trust_key(host, key=host_key, actor=world.admin)
    with access_to(host) as access:
        assert access.ssh is not None
        # libvirt reads a plus sign as itself.
        assert "a%20b%25h" in access.address
        told = subprocess.run([access.ssh, "-G", "kvm.example"], capture_output=True, text=True, check=True).stdout
        assert f"userknownhostsfile {access.ssh.parent}/known_hosts" in told


def options_of(program: Path) -> dict[str, str]:
    told = subprocess.run([program, "-G", "kvm.example"], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in told.splitlines() if " " in line)


def test_ssh_is_quick_and_goes_through_no_connection_of_others(world: World, host_key: HostKey) -> None:
    host = add_host(name="new", uri=SSH, actor=world.admin)
    trust_key(host, key=host_key, actor=world.admin)
    with access_to(host) as access:
        assert access.ssh is not None
        options = options_of(access.ssh)
        assert options["ciphers"].startswith("aes128-gcm@openssh.com,")
        assert options.get("controlpath", "none") == "none"


def test_a_shared_connection_is_not_that_of_another_address_key_or_secret(world: World, host_key: HostKey) -> None:
    host = Host(name="new", uri=SSH, host_key=str(host_key))
    others = (
        Host(uri=SSH.replace("kvm", "kvn"), host_key=str(host_key)),
        Host(uri=SSH, host_key=str(host_key).replace("A", "B")),
        Host(uri=SSH, host_key=str(host_key), sealed="x"),
    )
    assert len({control_of(one) for one in (host, *others)}) == 4
    assert control_of(host) == control_of(Host(name="renamed", uri=SSH, host_key=str(host_key)))


def test_sockets_of_shared_connections_fit_the_longest_folder(world: World, settings: Any) -> None:
    settings.RUN = Path("/" + "r" * (LONGEST_SOCKET_FOLDER - 1))
    assert len(str(control_of(Host(uri=SSH)))) + 17 <= 107


def test_a_shared_connection_that_is_refused_leaves_nothing_and_libvirt_says_why(
    world: World, host_key: HostKey, settings: Any, tmp_path: Path
) -> None:
    settings.RUN = tmp_path
    host = Host(uri=f"qemu+ssh://webvirt@127.0.0.1:{free_port()}/system", host_key=str(host_key))
    with access_to(host, shared=True) as access, pytest.raises(Unreachable, match="Connection refused"):
        open_connection(access)
    assert not control_of(host).exists()
    assert list((tmp_path / "opening").iterdir()) == []


@pytest.mark.parametrize("path", ["/tmp/${HOME}", "/tmp/%h", "/tmp/a:b", "/tmp/a\\b"])
def test_a_displays_socket_is_never_read_by_ssh_as_something_else(tmp_path: Path, path: str) -> None:
    access = Access(SSH, ssh=tmp_path / "ssh")
    with pytest.raises(Unsupported), passage(access, path):
        pass


@pytest.mark.parametrize("name", ["control", "-begins-as-an-option"])
def test_a_shared_connection_that_nobody_goes_through_ends_with_its_workers(
    world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever it is called: its name is drawn from what leads to its host."""
    settings.RUN = tmp_path
    monkeypatch.setattr("hosts.access.control_of", lambda host: tmp_path / name)
    (tmp_path / "server.lock").touch()
    with sshd(own_public_key()) as there:
        host = Host(uri=f"qemu+ssh://127.0.0.1:{there.port}/system", host_key=there.host_key)
        with access_to(host, shared=True) as access:
            master = re.search(r"pid=(\d+)", run(access, "-O", "check", seconds=10).err)
        assert master
        app.loader.import_default_modules()  # as a worker does
        worker_shutdown.send(sender=None)
        wait_for(lambda: (found := Process.look(int(master[1]))) is None or found.ended)
        assert not (tmp_path / name).exists()


def test_what_a_passage_led_to_outlives_a_connection_that_ends_while_it_is_taken_down(
    world: World, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RUN = tmp_path
    with sshd(own_public_key()) as there:
        host = Host(uri=f"qemu+ssh://127.0.0.1:{there.port}/system", host_key=there.host_key)
        with access_to(host, shared=True) as access, caplog.at_level("INFO"):
            with passage(access, str(tmp_path / "display")) as path:
                assert path.is_socket()
                ended = run(access, "-O", "exit", seconds=10)
            assert ended.code == 0
    assert "was not taken down" in caplog.text
