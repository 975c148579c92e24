"""The lab of several hosts stands: each is reached as people reach theirs, and breaks and mends as told."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import libvirt
import pytest

from tests.lab.lab import Lab, is_there
from tests.lab.ssh_host import SshClient, SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.waiting import wait_for

HOME = Path(__file__).resolve().parents[2]


def said_to(uri: str, *command: str, stdin: str = "", seconds: float = 20) -> str:
    """What virsh on this machine says when it is sent to a host."""
    done = subprocess.run(
        ["timeout", str(seconds), "virsh", "-q", "-c", uri, *command], input=stdin, capture_output=True, text=True
    )
    return (done.stdout + done.stderr).strip()


def open_with_password(host: TcpHost, password: str) -> libvirt.virConnect:
    def answer(asked: list[list[object]], opaque: None) -> int:
        for one in asked:
            one[4] = password if one[0] == libvirt.VIR_CRED_PASSPHRASE else host.user
        return 0

    kinds = [libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE]
    return libvirt.openAuth(host.uri, [kinds, answer, None])


def tls_uri(host: TlsHost) -> str:
    return f"{host.uri}?pkipath={host.client('known')}"


def test_a_second_lab_comes_up_in_seconds_and_leaves_nothing(lab: Lab) -> None:
    began = time.monotonic()
    with Lab() as second:
        assert time.monotonic() - began < 15
        assert second.bridge != lab.bridge
        assert {host.virsh("hostname") for host in second.hosts} == {"ssh-1.lab", "tcp-1.lab", "tls-1.lab"}
        first = [host.inside.pid for host in second.hosts]
    assert [pid for pid in first if Path(f"/proc/{pid}").exists()] == []
    assert not is_there(second.bridge)
    assert not second.folder.exists()


def test_a_killed_lab_ends_by_itself_and_its_remains_are_cleared() -> None:
    script = (
        "import sys, tests.lab.lab as made; lab = made.Lab(); lab.up();"
        "print(lab.bridge, *(host.inside.pid for host in lab.hosts), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOME
    ) as process:
        assert process.stdout
        bridge, *pids = process.stdout.readline().split()
        assert len(pids) == 3
        os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    with Lab() as fresh:
        assert fresh.bridge == bridge
    assert not is_there(bridge)


def test_hosts_are_told_apart(lab: Lab) -> None:
    uuids = [next(line for line in host.virsh("capabilities").splitlines() if "<uuid>" in line) for host in lab.hosts]
    assert len(set(uuids)) == 3
    assert [str(host.uuid) in line for host, line in zip(lab.hosts, uuids, strict=True)] == [True] * 3


def test_ssh_answers_virsh(ssh_host: SshHost, ssh_client: SshClient) -> None:
    assert said_to(ssh_client.uri(ssh_host), "hostname") == "ssh-1.lab"
    assert "libvirt" in ssh_host.shell("id -nG", "webvirt")


def test_accounts_of_a_host_are_its_own(ssh_host: SshHost) -> None:
    ssh_host.shell("useradd --create-home --shell /bin/bash visitor")
    assert ssh_host.shell("pwd", "visitor").strip() == "/home/visitor"
    assert "visitor" not in Path("/etc/passwd").read_text()
    ssh_host.mend()
    assert "no such user" in ssh_host.run("id", "visitor", check=False)


def test_tcp_answers_who_has_the_password(tcp_host: TcpHost) -> None:
    with closing(open_with_password(tcp_host, tcp_host.password)) as connection:
        assert connection.getHostname() == "tcp-1.lab"
    with pytest.raises(libvirt.libvirtError, match="authentication failed"):
        open_with_password(tcp_host, "wrong")
    tcp_host.set_auth("none")
    assert said_to(tcp_host.uri, "hostname") == "tcp-1.lab"


def test_tls_answers_who_has_a_certificate(tls_host: TlsHost) -> None:
    assert said_to(tls_uri(tls_host), "hostname") == "tls-1.lab"


def test_a_dark_host_is_silent_and_comes_back(tls_host: TlsHost) -> None:
    tls_host.go_dark()
    assert said_to(tls_uri(tls_host), "hostname", seconds=1) == ""
    assert tls_host.virsh("hostname") == "tls-1.lab"
    tls_host.come_back()
    assert said_to(tls_uri(tls_host), "hostname") == "tls-1.lab"


def test_a_slow_host_answers_later(tls_host: TlsHost) -> None:
    uri = tls_uri(tls_host)
    with closing(libvirt.open(uri)) as connection:

        def seconds() -> float:
            """How long one call takes: the quickest of three, of which the machine's other work delays some."""
            took = []
            for _ in range(3):
                began = time.monotonic()
                connection.getHostname()
                took.append(time.monotonic() - began)
            return min(took)

        tls_host.slow(300)
        assert 0.3 <= seconds() < 1
        tls_host.fast()
        assert seconds() < 0.3


def test_a_stopped_daemon_refuses_and_a_restarted_one_answers(tls_host: TlsHost) -> None:
    tls_host.stop_daemon()
    assert "Connection refused" in said_to(tls_uri(tls_host), "hostname")
    tls_host.start_daemon()
    assert said_to(tls_uri(tls_host), "hostname") == "tls-1.lab"
    tls_host.restart_daemon()
    assert said_to(tls_uri(tls_host), "hostname") == "tls-1.lab"


def test_a_daemon_that_stands_behind_a_socket_starts_at_the_first_call(
    ssh_host: SshHost, ssh_client: SshClient, tls_host: TlsHost
) -> None:
    for host, uri in ((ssh_host, ssh_client.uri(ssh_host)), (tls_host, tls_uri(tls_host))):
        host.start_by_socket()
        assert host.pids("libvirtd") == []
        assert said_to(uri, "hostname") == host.hostname
        assert host.pids("libvirtd")


def test_guests_run_and_mending_removes_what_a_test_made(tls_host: TlsHost) -> None:
    host = tls_host
    host.run("mkdir", "-p", "/var/lib/libvirt/images")
    host.virsh("pool-define-as", "default", "dir", "--target", "/var/lib/libvirt/images")
    host.virsh("pool-start", "default")
    host.virsh("net-start", "default")
    definition = (
        "<domain type='qemu'><name>t-lab</name><memory>65536</memory><os><type>hvm</type></os>"
        "<devices><interface type='network'><source network='default'/></interface>"
        "<graphics type='vnc'/></devices></domain>"
    )
    assert "created" in host.run("virsh", "create", "/dev/stdin", stdin=definition)
    assert host.virsh("list", "--name") == "t-lab"
    assert host.virsh("domdisplay", "t-lab") == f"vnc://{host.address}:0"
    with socket.create_connection((host.address, 5900), timeout=5) as display:
        assert display.recv(4) == b"RFB "
    host.mend()
    assert host.virsh("list --all --name; pool-list --all --name; net-list --name") == ""
