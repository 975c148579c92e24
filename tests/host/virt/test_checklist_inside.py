"""The checklist against real hosts: passwords, certificates, and what libvirt has are broken for real."""

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.host.virt.found import FAILED, NOT_TRIED, OK, WARNING, Found, furnish
from tests.lab.certificates import OVER
from tests.lab.ssh_host import SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.waiting import wait_for
from virt.access import Access
from virt.checklist.run import check
from virt.connection import open_connection

# Passwords.


def test_a_wrong_password_is_refused(tcp: Access) -> None:
    found = Found(replace(tcp, password="wrong"))
    assert found.stopped_at("password")
    assert found.title("password") == "operator and the password are refused"
    assert found.command("password") == "saslpasswd2 -a libvirt operator"
    assert "authentication failed" in found.lines["password"].libvirt


def test_a_missing_password_is_asked_for(tcp: Access) -> None:
    found = Found(replace(tcp, password=""))
    assert found.stopped_at("password")
    assert found.title("password") == "a password is missing"


def test_a_host_that_asks_nobody_is_warned_of(tcp_host: TcpHost) -> None:
    tcp_host.set_auth("none")
    found = Found(Access(tcp_host.uri))
    assert found.lines["password"].state is WARNING
    assert "Whoever reaches this port rules the host" in found.words("password")
    assert found.lines["versions"].state is OK
    tcp_host.shell(found.first_step("password"))
    tcp_host.restart_daemon()
    assert Found(Access(tcp_host.uri)).title("password") == "a user and a password are missing"


def test_a_password_over_tls_is_a_line_of_its_own(tls_host: TlsHost, tls: Access) -> None:
    tls_host.run("mkdir", "-p", "/etc/sasl2")
    tls_host.run("tee", "/etc/sasl2/libvirt.conf", stdin="mech_list: digest-md5\nsasldb_path: /etc/libvirt/passwd.db\n")
    tls_host.run("saslpasswd2", "-p", "-c", "-a", "libvirt", "-f", "/etc/libvirt/passwd.db", "operator", stdin="x y")
    tls_host.write_conf(auth_tls="sasl")
    tls_host.restart_daemon()
    with_user = replace(tls, uri=tls.uri.replace("://", "://operator@"))
    refused = Found(replace(with_user, password="wrong"))
    assert (refused.lines["certificates"].state, refused.lines["password"].state) == (OK, FAILED)
    assert Found(with_user).title("password") == "a password is missing"
    assert Found(replace(with_user, password="x y")).title("password") == "operator is let in"


# Certificates.


@pytest.mark.parametrize(
    ("who", "title"),
    [
        ("expired", "ours has expired"),
        ("foreign", "the host refuses ours"),
        ("mixed", "ours is not of the authority beside it"),
        ("stranger", "the host's is of an authority that is not trusted here"),
    ],
)
def test_a_certificate_of_ours_that_does_not_serve_says_why(tls_host: TlsHost, who: str, title: str) -> None:
    found = Found(Access(tls_host.uri, pki=tls_host.client(who)))  # type: ignore[arg-type]
    assert found.stopped_at("certificates")
    assert found.title("certificates") == title
    assert found.lines["certificates"].libvirt


def test_a_client_certificate_that_is_missing_is_told_apart(tls_host: TlsHost, tmp_path: Path) -> None:
    (tmp_path / "cacert.pem").write_bytes(tls_host.authority.pem)
    found = Found(Access(tls_host.uri, pki=tmp_path))
    assert found.stopped_at("certificates")
    assert found.title("certificates") == "ours is missing"


def test_a_missing_authority_is_told(tls_host: TlsHost, tmp_path: Path) -> None:
    found = Found(Access(tls_host.uri, pki=tmp_path))
    assert found.lines["certificates"].title == "the authority's certificate is missing here"
    assert found.command("certificates") == "cat /etc/pki/CA/cacert.pem"


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"valid": OVER}, "the host's has expired"),
        ({"address": "10.1.2.3"}, "the host's is for another name"),
    ],
)
def test_a_certificate_of_the_host_that_does_not_serve_says_why(
    tls_host: TlsHost, tls: Access, changed: dict[str, object], title: str
) -> None:
    tls_host.use_certificate(**changed)  # type: ignore[arg-type]
    # It ran out while the daemon ran: at its start libvirt would look itself.
    tls_host.write_conf(tls_no_sanity_certificate=1)
    tls_host.restart_daemon()
    found = Found(tls)
    assert found.stopped_at("certificates")
    assert found.title("certificates") == title
    assert found.command("certificates")


# What is inside.


def test_a_host_without_pool_and_network_is_told_how_to_make_them(ssh_host: SshHost, ssh: Access) -> None:
    found = Found(ssh)
    assert found.title("pool") == "there is no pool"
    assert found.title("network") == "the network default is stopped"
    ssh_host.shell(found.command("pool"))
    ssh_host.shell(found.command("network"))
    again = Found(ssh)
    assert (again.lines["pool"].state, again.lines["network"].state) == (OK, OK)


def test_a_stopped_pool_and_a_missing_network_are_told(ssh_host: SshHost, ssh: Access) -> None:
    furnish(ssh_host)
    ssh_host.virsh("pool-destroy", "default")
    ssh_host.virsh("net-destroy", "default")
    ssh_host.virsh("net-undefine", "default")
    found = Found(ssh)
    assert found.title("pool") == "the pool default is stopped"
    assert found.title("network") == "there is no network"
    ssh_host.shell(found.command("pool"))
    ssh_host.shell(found.command("network"))
    again = Found(ssh)
    assert (again.lines["pool"].state, again.lines["network"].state) == (OK, OK)


def test_a_host_without_qemu_is_told_to_install_it(own_ssh: tuple[SshHost, Access]) -> None:
    host, access = own_ssh
    host.stop_daemon()
    host.shell("rm -rf /var/cache/libvirt/qemu; for file in /usr/bin/qemu-*; do mount --bind /dev/null $file; done")
    host.start_daemon()
    found = Found(access)
    assert found.title("versions") == "QEMU is not found"
    assert "dnf install qemu-kvm" in found.command("versions")
    assert found.lines["memory"].state is OK


def test_a_processor_that_could_and_a_module_that_is_missing_are_told(own_ssh: tuple[SshHost, Access]) -> None:
    host, access = own_ssh
    host.stop_daemon()
    host.shell("echo 'flags : fpu vmx sse' > /run/cpuinfo; mount --bind /run/cpuinfo /proc/cpuinfo")
    host.shell(
        "mkdir /run/dev; mount --rbind /dev /run/dev; mount -t tmpfs -o mode=755 tmpfs /dev; cd /run/dev;"
        "for file in null zero full random urandom tty; do touch /dev/$file; mount --bind $file /dev/$file; done"
    )
    host.start_daemon()
    found = Found(access)
    assert found.lines["kvm"].state is WARNING
    assert found.title("kvm") == "/dev/kvm is missing"
    assert "the kernel's module is not loaded" in found.words("kvm")
    assert "modprobe kvm_" in found.command("kvm")


def test_a_processor_that_cannot_is_told_to_be_switched_on(own_ssh: tuple[SshHost, Access]) -> None:
    host, access = own_ssh
    host.shell("echo 'flags : fpu sse' > /run/cpuinfo; mount --bind /run/cpuinfo /proc/cpuinfo")
    found = Found(access)
    assert found.title("kvm") == "the processor shows neither vmx nor svm"
    assert "nested virtualisation" in found.words("kvm")


def test_a_clock_that_goes_wrong_is_told(own_ssh: tuple[SshHost, Access]) -> None:
    host, access = own_ssh
    host.run("cp", "/usr/bin/date", "/home/date")
    host.run("tee", "/home/late", stdin='#!/bin/sh\nexec /home/date -d "1 hour ago" "$@"\n')
    host.shell("chmod 755 /home/late; mount --bind /home/late /usr/bin/date")
    found = Found(access)
    assert found.lines["clock"].state is WARNING
    assert int(found.lines["clock"].params["seconds"]) in range(3598, 3611)
    assert "behind Webvirt's" in found.title("clock")


def test_a_daemon_that_gets_stuck_in_the_midst_is_cut(
    tcp_host: TcpHost, tcp: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virt.checklist.inside.FIRST_SECONDS", 2.0)
    lines = check(tcp, let_in="")
    assert [next(lines).name for _ in range(4)] == ["name", "port", "daemon", "password"]
    tcp_host.freeze_daemon()
    before = time.monotonic()
    rest = {line.name: line for line in lines}
    assert time.monotonic() - before < 6
    assert (rest["versions"].state, rest["versions"].title) == (FAILED, "The host does not answer")
    assert {rest[name].state for name in ("kvm", "pool", "network", "memory", "console")} == {NOT_TRIED}


# Screens.


def restart_sshd(host: SshHost) -> None:
    host.stop_sshd()
    host.start_sshd()


def test_an_sshd_that_forwards_nothing_has_no_screens(ssh_host: SshHost, ssh: Access) -> None:
    ssh_host.shell(
        "mkdir /etc/ssh/sshd_config.d; echo 'AllowTcpForwarding no' >> /etc/ssh/sshd_config;"
        "sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config"
    )
    try:
        restart_sshd(ssh_host)
        found = Found(ssh)
        ssh_host.shell(found.first_step("console"))
        restart_sshd(ssh_host)
        assert Found(ssh).title("console") == "through ssh"
    finally:
        ssh_host.stop_sshd()  # it begins anew with its own configuration when the host is mended
    assert found.lines["console"].state is FAILED
    assert found.title("console") == "ssh forwards nothing"
    assert "prohibited" in found.lines["console"].libvirt


def test_screens_that_listen_on_the_host_alone_are_warned_of(tcp_host: TcpHost, tcp: Access) -> None:
    tcp_host.shell("sed -i 's/^vnc_listen.*/vnc_listen = \"127.0.0.1\"/' /etc/libvirt/qemu.conf")
    tcp_host.restart_daemon()
    found = Found(tcp)
    assert found.lines["console"].state is WARNING
    assert "127.0.0.1 cannot be reached" in found.words("console")
    tcp_host.shell(found.first_step("console"))
    tcp_host.restart_daemon()
    assert Found(tcp).title("console") == f"new guests' screens listen on {tcp_host.address}"


def open_sockets() -> set[str]:
    names = set()
    for one in Path("/proc/self/fd").iterdir():
        # The event loop may be closing one just now.
        with suppress(FileNotFoundError):
            names.add(str(one.readlink()))
    return {name for name in names if name.startswith("socket:")}


def test_nothing_of_a_check_stays_open(ssh_host: SshHost, ssh: Access, tcp: Access) -> None:
    """A check leaves neither sockets nor programs: a worker does thousands."""
    with open_connection(tcp):
        pass  # the event loop's own descriptors are there now
    before = open_sockets()
    Found(ssh)
    Found(tcp)
    # libvirt's event loop lets go of a connection a moment after it was closed.
    wait_for(lambda: open_sockets() <= before)
