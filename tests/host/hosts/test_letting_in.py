"""The line that lets Webvirt in, pasted on a real host as its root would."""

import subprocess

import pytest

from hosts.letting_in import paste_line
from tests.lab.lab import Lab
from tests.lab.ssh_host import SshClient, SshHost


@pytest.fixture
def client(lab: Lab, ssh_host: SshHost) -> SshClient:
    """A key that nobody takes yet, and that knows the host."""
    lab.client.forget()
    lab.client.know(ssh_host)
    return lab.client


def paste(host: SshHost, user: str, client: SshClient, shell: str = "bash") -> None:
    host.run(shell, "-c", paste_line(user, client.public_key))


def ssh(host: SshHost, user: str, client: SshClient, *words: str) -> str:
    """What ssh says, with nothing for its input."""
    command = [client.command, f"{user}@{host.address}", *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    return (done.stdout + done.stderr).strip()


def virsh(host: SshHost, user: str, client: SshClient) -> str:
    uri = client.uri(host).replace("webvirt@", f"{user}@")
    command = ["timeout", "20", "virsh", "-q", "-c", uri, "hostname"]
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("user", ["webvirt", "t-somebody.new", "root"])
def test_the_line_lets_libvirt_in(ssh_host: SshHost, client: SshClient, user: str, shell: str) -> None:
    assert "Permission denied" in ssh(ssh_host, user, client, "true")
    paste(ssh_host, user, client, shell)
    assert virsh(ssh_host, user, client) == "ssh-1.lab"


@pytest.mark.parametrize("user", ["webvirt", "root"])
def test_pasted_twice_it_changes_nothing_more(ssh_host: SshHost, client: SshClient, user: str) -> None:
    paste(ssh_host, user, client)
    first = ssh_host.shell("cat ~/.ssh/authorized_keys; ls -lna ~/.ssh; id", user)
    paste(ssh_host, user, client)
    assert ssh_host.shell("cat ~/.ssh/authorized_keys; ls -lna ~/.ssh; id", user) == first


def test_keys_that_were_there_stay_keys(ssh_host: SshHost, client: SshClient) -> None:
    """Also the last one of a file that does not end with a line's end."""
    ssh_host.shell(
        "umask 077; mkdir ~/.ssh; printf %s 'ssh-ed25519 AAAAother other' > ~/.ssh/authorized_keys", "webvirt"
    )
    paste(ssh_host, "webvirt", client)
    lines = ssh_host.shell("cat ~/.ssh/authorized_keys", "webvirt").splitlines()
    assert "ssh-ed25519 AAAAother other" in lines
    assert virsh(ssh_host, "webvirt", client) == "ssh-1.lab"


def test_whoever_left_the_group_is_put_back(ssh_host: SshHost, client: SshClient) -> None:
    ssh_host.leave_group()
    paste(ssh_host, "webvirt", client)
    assert "libvirt" in ssh_host.shell("id -nG", "webvirt").split()


def test_consoles_are_forwarded_and_nothing_else_is(ssh_host: SshHost, client: SshClient) -> None:
    paste(ssh_host, "webvirt", client)
    assert ssh(ssh_host, "webvirt", client, "-W", "127.0.0.1:22").startswith("SSH-2.0-")
    assert "PTY allocation request failed" in ssh(ssh_host, "webvirt", client, "-tt", "true")


def test_a_line_that_fails_stops_there(ssh_host: SshHost, client: SshClient) -> None:
    ssh_host.run("groupmod", "--new-name", "other", "libvirt")
    assert "libvirt" in ssh_host.run("sh", "-c", paste_line("t-nobody", client.public_key), check=False)
    assert "No such file" in ssh_host.run("ls", "/home/t-nobody/.ssh/authorized_keys", check=False)
