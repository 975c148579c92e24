"""The checklist against real hosts: their network, ssh and daemons are broken for real, and what it says is read."""

import socket
from dataclasses import replace

import pytest

from hosts.letting_in import paste_line
from tests.host.virt.found import FAILED, NOT_TRIED, OK, Found, furnish
from tests.lab.host import Host
from tests.lab.ssh_host import SshClient, SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.waiting import wait_for
from virt.access import Access
from virt.connection import open_connection
from virt.errors import Unreachable
from virt.ssh import offered_keys

# Put over a file of one host, it hides what is there: its mounts are its own.
HIDE = "mount --bind /dev/null"


# A host that is as it should be.


def test_a_good_host_at_the_end_of_a_slow_line_is_not_called_stuck(tcp_host: TcpHost, tcp: Access) -> None:
    furnish(tcp_host)
    tcp_host.slow(700)
    found = Found(tcp)
    assert not [name for name, line in found.lines.items() if line.failed or line.state is NOT_TRIED]


def test_a_good_ssh_host_ticks_every_line(ssh_host: SshHost, ssh: Access) -> None:
    furnish(ssh_host)
    found = Found(ssh)
    assert tuple(found.lines) == found.planned
    assert {name for name, line in found.lines.items() if line.state is not OK} <= {"kvm"}
    titles = {name: found.title(name) for name in found.lines}
    assert titles["name"] == f"{ssh_host.address} is an address"
    assert titles["port"].startswith("port 22 answers in ")
    assert titles["host_key"] == "it is the confirmed one"
    assert titles["key"] == "our key logs in as webvirt"
    assert titles["permission"] == "webvirt is in the group libvirt"
    assert titles["versions"].startswith("libvirt ") and " with QEMU " in titles["versions"]
    assert titles["pool"].startswith("pool default, ")
    assert titles["network"] == "network default"
    assert titles["clock"] == "as here"
    assert titles["console"] == "through ssh"


def test_a_good_tcp_host_ticks_every_line(tcp_host: TcpHost, tcp: Access) -> None:
    found = Found(tcp)
    assert tuple(found.lines) == found.planned
    assert found.title("password") == "operator is let in"
    assert found.title("console") == f"new guests' screens listen on {tcp_host.address}"
    assert not [name for name, line in found.lines.items() if line.failed]


def test_a_good_tls_host_ticks_every_line(tls_host: TlsHost, tls: Access) -> None:
    found = Found(tls)
    assert tuple(found.lines) == found.planned
    assert found.title("certificates") == "both sides accept the other's"
    assert not [name for name, line in found.lines.items() if line.failed]


def test_this_machine_is_looked_at_without_a_network() -> None:
    found = Found(Access("qemu:///system"))
    assert tuple(found.lines) == found.planned
    assert found.title("console") == "through libvirt's own socket"
    assert not [name for name, line in found.lines.items() if line.failed]


# Its network.


@pytest.mark.parametrize(
    ("answer", "title", "words", "command"),
    [
        ("closed", "port 22 is closed", "No ssh server listens there.", "systemctl enable --now ssh"),
        ("forbidden", "%s cannot be reached", "a firewall refuses it", "firewall-cmd --permanent --add-port=22/tcp"),
        ("silent", "port 22 does not answer", "a firewall drops it", "ufw allow 22/tcp"),
    ],
)
def test_a_shut_port_says_how_it_is_shut(
    ssh_host: SshHost, ssh: Access, answer: str, title: str, words: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virt.checklist.reach.PORT_SECONDS", 2.0)
    ssh_host.close_port(answer)  # type: ignore[arg-type]
    found = Found(ssh)
    assert found.stopped_at("port")
    assert found.title("port") == (title % ssh_host.address if "%s" in title else title)
    assert words in found.words("port")
    assert command in found.command("port")


def test_a_dark_host_is_silent_at_its_port(tls_host: TlsHost, tls: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("virt.checklist.reach.PORT_SECONDS", 2.0)
    tls_host.go_dark()
    found = Found(tls)
    assert found.stopped_at("port")
    assert "the host is off" in found.words("port")


# ssh.


def test_a_host_that_shows_another_key_is_not_entered(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.change_host_key()
    found = Found(ssh)
    assert found.stopped_at("host_key")
    assert found.title("host_key") == "the host shows another key than the confirmed one"
    assert "ssh-keygen -lf" in found.command("host_key")
    assert "IDENTIFICATION HAS CHANGED" in found.lines["host_key"].libvirt


def test_a_user_that_does_not_have_our_key_is_given_it(ssh_host: SshHost, ssh: Access, ssh_client: SshClient) -> None:
    ssh_host.run("rm", "/home/webvirt/.ssh/authorized_keys")
    found = Found(ssh, paste_line("webvirt", ssh_client.public_key))
    assert found.stopped_at("key")
    assert found.title("key") == "our key is not accepted for webvirt"
    assert "Permission denied" in found.lines["key"].libvirt
    ssh_host.shell(found.command("key"))
    assert Found(ssh).lines["key"].state is OK


def test_a_user_that_is_not_there_is_made(ssh_host: SshHost, ssh: Access, ssh_client: SshClient) -> None:
    access = replace(ssh, uri=ssh_host.uri.replace("webvirt@", "visitor@"))
    found = Found(access, paste_line("visitor", ssh_client.public_key))
    assert found.stopped_at("key")
    assert "The user visitor is not there" in found.words("key")
    ssh_host.shell(found.command("key"))
    assert Found(access).title("permission") == "visitor is in the group libvirt"


def test_a_service_account_is_told_to_have_no_shell(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.nologin()
    found = Found(ssh)
    assert found.stopped_at("shell")
    assert found.title("shell") == "webvirt may not run commands"
    assert "nologin" in found.words("shell")
    assert "currently not available" in found.lines["shell"].libvirt
    ssh_host.run(*found.command("shell").split())
    assert Found(ssh).lines["daemon"].state is OK


def test_a_login_that_takes_long_is_not_called_a_silent_sshd(
    ssh_host: SshHost, ssh: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virt.checklist.entry.LOOK_SECONDS", 3.0)
    ssh_host.run("tee", "/home/webvirt/.bashrc", stdin="sleep 30\n")
    found = Found(ssh)
    assert found.stopped_at("shell")
    assert found.title("shell") == "it takes too long to log in"


def test_a_login_that_takes_long_is_no_daemon_that_is_stuck(
    ssh_host: SshHost, ssh: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virt.checklist.daemon.OPEN_SECONDS", 3.0)
    ssh_host.run("tee", "/home/webvirt/.bashrc", stdin="sleep 4\n")
    assert Found(ssh).lines["daemon"].state is OK


def test_a_shell_that_prints_is_told_apart_and_quietened(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.chatter()
    found = Found(ssh)
    assert found.stopped_at("shell")
    assert found.title("shell") == "its login shell prints text"
    assert found.lines["shell"].libvirt == "welcome"
    ssh_host.shell(found.command("shell"))
    assert Found(ssh).lines["daemon"].state is OK


@pytest.mark.parametrize(
    ("breaking", "title", "words"),
    [
        ("chage --expiredate 1 webvirt", "webvirt is sent away", "The account has expired"),
        ("touch /etc/nologin", "webvirt is sent away", "/etc/nologin"),
        ("chage --lastday 0 webvirt", "webvirt has to change a password first", "password on the host has expired"),
    ],
)
def test_an_account_that_has_run_out_is_told(
    ssh_host: SshHost, ssh: Access, breaking: str, title: str, words: str
) -> None:
    ssh_host.shell(breaking)
    found = Found(ssh)
    (failed,) = [name for name, line in found.lines.items() if line.failed]
    assert failed in ("key", "shell")
    assert found.title(failed) == title
    assert words in found.words(failed)
    ssh_host.run("rm", "-f", "/etc/nologin")
    ssh_host.run("sh", "-c", found.command(failed), check=False)
    assert Found(ssh).lines["daemon"].state is OK


def answers(host: SshHost) -> bool:
    try:
        with socket.create_connection((host.address, host.port)):
            return True
    except ConnectionRefusedError:
        return False


def test_what_answers_and_is_no_sshd_is_told(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.stop_sshd()
    ssh_host.run("setsid", "--fork", "sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh",
                 "systemd-socket-activate", "--accept", "--inetd", "--listen=22", "echo", "hello")  # fmt: skip
    try:
        wait_for(lambda: answers(ssh_host))
        found = Found(ssh)
    finally:
        for pid in ssh_host.pids("systemd-socket-"):
            ssh_host.run("kill", pid, check=False)
    assert found.stopped_at("host_key")
    assert found.title("host_key") == "ssh is hung up on before the key is shown"


def greeted(host: SshHost) -> socket.socket | None:
    """A connection that sshd has taken; it stays until it is closed."""
    try:
        client = socket.create_connection((host.address, host.port))
        if client.recv(64).startswith(b"SSH-"):
            return client
        client.close()
    except OSError:
        return None
    return None


def test_an_sshd_that_takes_no_more_is_no_stranger(ssh_host: SshHost, ssh: Access) -> None:
    """It has nothing to say to whoever comes when as many sign in as it allows, nor to an address that it bans."""
    ssh_host.configure_sshd("MaxStartups 1:100:1")
    with wait_for(lambda: greeted(ssh_host)):
        found = Found(ssh)
        with pytest.raises(Unreachable, match="hangs up at once"):
            offered_keys(ssh_host.address, ssh_host.port)
        with pytest.raises(Unreachable, match="hangs up at once"):
            open_connection(ssh)
    assert found.stopped_at("host_key")
    assert found.title("host_key") == "ssh is hung up on before the key is shown"
    assert "fail2ban" in found.lines["host_key"].hint


# libvirt on the other side of it.


def test_a_user_outside_the_group_is_let_into_it(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.leave_group()
    found = Found(ssh)
    assert found.stopped_at("permission")
    assert found.title("permission") == "webvirt may not use libvirt"
    assert "Permission denied" in found.lines["permission"].libvirt
    ssh_host.run(*found.command("permission").split())
    assert Found(ssh).title("permission") == "webvirt is in the group libvirt"


def test_a_daemon_that_does_not_run_is_started(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.stop_daemon()
    found = Found(ssh)
    assert found.stopped_at("daemon")
    assert found.title("daemon") == "does not run"
    assert "systemctl enable --now libvirtd  # Debian, Ubuntu" in found.command("daemon")
    assert "virtqemud.socket" in found.command("daemon")


def test_a_daemon_that_was_killed_and_left_its_socket_does_not_run(ssh_host: SshHost, ssh: Access) -> None:
    for pid in ssh_host.pids("libvirtd"):
        ssh_host.run("kill", "-KILL", pid)
    found = Found(ssh)
    assert found.stopped_at("daemon")
    assert found.title("daemon") == "does not run"
    assert "Connection refused" in found.lines["daemon"].libvirt


def test_a_daemon_that_is_not_installed_is_told_apart(own_ssh: tuple[SshHost, Access]) -> None:
    host, access = own_ssh
    host.stop_daemon()
    host.shell(f"{HIDE} /usr/sbin/libvirtd")
    found = Found(access)
    assert found.stopped_at("daemon")
    assert found.title("daemon") == "is not installed"
    assert "apt-get install libvirt-daemon-system" in found.command("daemon")
    assert "dnf install libvirt" in found.command("daemon")


def test_a_daemon_behind_a_socket_is_started_by_the_check(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.start_by_socket()
    assert ssh_host.pids("libvirtd") == []
    assert Found(ssh).title("daemon") == "answers"


def test_the_modular_daemon_is_used_and_named(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.start_by_socket("virtqemud")
    found = Found(ssh)
    assert found.title("daemon") == "virtqemud answers, one of libvirt's modular daemons"
    assert found.lines["versions"].state is OK


@pytest.mark.parametrize(("part", "line"), [("virtstoraged", "pool"), ("virtnetworkd", "network")])
def test_a_modular_daemon_that_is_away_is_named_and_the_others_are_looked_at(
    ssh_host: SshHost, ssh: Access, part: str, line: str
) -> None:
    ssh_host.start_by_socket("virtqemud")
    furnish(ssh_host)
    assert {Found(ssh).lines[name].state for name in ("pool", "network")} == {OK}
    ssh_host.stop_part(part)
    found = Found(ssh)
    assert found.title(line) == f"{part} does not run"
    assert found.command(line) == f"systemctl enable --now {part}.socket"
    assert [name for name, one in found.lines.items() if one.state is FAILED] == [line]
    ssh_host.start_part(part)
    assert Found(ssh).lines[line].state is OK


def test_a_libvirt_that_is_too_old_says_so(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.grow_old("5.0.0")
    found = Found(ssh)
    assert found.lines["versions"].state is FAILED
    assert found.title("versions") == "libvirt 5.0.0 is too old"
    assert "Webvirt needs libvirt 6.0.0 or newer" in found.words("versions")
    assert found.lines["memory"].state is OK


@pytest.mark.parametrize("way", ["ssh", "tcp", "tls"])
def test_a_daemon_that_is_stuck_is_told_apart_from_one_that_is_away(
    way: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virt.checklist.daemon.OPEN_SECONDS", 3.0)
    host: Host = request.getfixturevalue(f"{way}_host")
    access: Access = request.getfixturevalue(way)
    host.freeze_daemon()
    found = Found(access)
    assert found.stopped_at("daemon")
    assert found.title("daemon") == "accepts us and then stays silent"
    assert "systemctl restart virtqemud" in found.command("daemon")
