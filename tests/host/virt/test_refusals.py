"""Each way in which a host can refuse, provoked for real: what libvirt says becomes words that say what mends it.

Where the words name a command for the host, the host runs it, and is then reached.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.lab.ssh_host import USER, SshClient, SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.waiting import wait_for
from virt.access import Access
from virt.connection import open_connection
from virt.errors import (
    CertificateRefused,
    Denied,
    HostKeyChanged,
    HostKeyUnknown,
    KeyRefused,
    PasswordRefused,
    TimedOut,
    Unreachable,
    VirtError,
)

HOME = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Refusal:
    """What is done to a host, and what Webvirt then says: the kind, a part of the sentence, a part of the hint.

    `mend` is a command that the hint has, with the lab's user in place of USER.
    """

    provoke: Callable[[Any], object]
    kind: type[VirtError]
    detail: str
    hint: str = ""
    mend: str = ""

    @property
    def seconds(self) -> float:
        """How long to try: until a silent one is given up, or with patience."""
        return 2 if self.kind is TimedOut else 20


def refusal(access: Access, *, timeout: float = 8) -> VirtError:
    """The error with which an open ends.

    Where ssh ends before libvirt has written to it, which is seldom, its words are lost: asked again then.
    """
    while True:
        with pytest.raises(VirtError) as told:
            open_connection(access, timeout=timeout).close()
        if "Cannot write data" not in told.value.libvirt:
            return told.value
        assert "nobody said why" in told.value.detail


def is_reached(access: Access) -> bool:
    with open_connection(access) as connection:
        return connection.is_alive()


def holds(case: Refusal, error: VirtError) -> None:
    assert type(error) is case.kind, error
    assert case.detail in error.detail % error.params
    assert case.hint in error.hint
    assert case.mend in error.hint.replace("USER", USER)
    assert error.libvirt or case.kind is TimedOut


@pytest.fixture
def by_ssh(ssh_host: SshHost, ssh_client: SshClient) -> Access:
    """The ssh host, reached."""
    return Access(ssh_host.uri, ssh=ssh_client.command)


def polkit_without_the_group(host: SshHost) -> None:
    host.ask_polkit()
    host.leave_group()


SSH = {
    "key": Refusal(lambda host: host.distrust(), KeyRefused, "not accept our SSH key", "~/.ssh/authorized_keys"),
    "changed-key": Refusal(lambda host: host.change_host_key(), HostKeyChanged, "not the one that was confirmed"),
    "nologin": Refusal(
        lambda host: host.nologin(), Denied, "lets nobody in (nologin)", mend=f"usermod --shell /bin/bash {USER}"
    ),
    "false": Refusal(
        lambda host: host.run("usermod", "--shell", "/bin/false", USER),
        Unreachable,
        "without a word",
        mend=f"usermod --shell /bin/bash {USER}",
    ),
    "chatter": Refusal(lambda host: host.chatter(), Unreachable, 'beginning with "welc"', "ssh USER@HOST true"),
    "group": Refusal(lambda host: host.leave_group(), Denied, "may not do this", mend=f"usermod -aG libvirt {USER}"),
    "polkit": Refusal(polkit_without_the_group, Denied, "may not do this", mend=f"usermod -aG libvirt {USER}"),
    "account-expired": Refusal(
        lambda host: host.run("usermod", "--expiredate", "1", USER),
        Unreachable,
        "sshd ended the connection",
        mend=f"chage --expiredate -1 {USER}",
    ),
    "password-expired": Refusal(
        lambda host: host.run("passwd", "--expire", USER),
        Denied,
        "password on the host has expired",
        mend=f"chage --lastday -1 {USER}",
    ),
    "no-keys": Refusal(
        lambda host: host.configure_sshd("PubkeyAuthentication no"),
        KeyRefused,
        "takes no keys",
        "PubkeyAuthentication yes",
    ),
    "not-allowed": Refusal(
        lambda host: host.configure_sshd("AllowUsers root"), KeyRefused, "not accept our SSH key", "journalctl -u ssh"
    ),
    "starting-up": Refusal(
        lambda host: host.run("touch", "/etc/nologin"), Unreachable, "sshd ended the connection", "/etc/nologin"
    ),
    "stopped": Refusal(
        lambda host: host.stop_daemon(), Unreachable, "libvirt does not run", "systemctl enable --now libvirtd"
    ),
    "no-sshd": Refusal(
        lambda host: host.stop_sshd(), Unreachable, "No ssh server answers", "systemctl enable --now ssh"
    ),
    "closed": Refusal(lambda host: host.close_port("closed"), Unreachable, "No ssh server answers", "check the port"),
    "forbidden": Refusal(lambda host: host.close_port("forbidden"), Unreachable, "no way to this", "a firewall"),
    "silent": Refusal(lambda host: host.close_port("silent"), TimedOut, "no answer in time", "no firewall drops"),
    "dark": Refusal(lambda host: host.go_dark(), TimedOut, "no answer in time", "the host is on"),
    "frozen": Refusal(lambda host: host.freeze_daemon(), TimedOut, "no answer in time", "systemctl restart libvirtd"),
}


@pytest.mark.parametrize("name", SSH)
def test_an_ssh_host_that_refuses(name: str, ssh_host: SshHost, by_ssh: Access) -> None:
    case = SSH[name]
    case.provoke(ssh_host)
    holds(case, refusal(by_ssh, timeout=case.seconds))
    if case.mend:
        ssh_host.shell(case.mend)
        assert is_reached(by_ssh)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
@pytest.mark.parametrize("proxy", ["auto", "native"])
def test_an_ssh_host_without_libvirt(shell: str, proxy: str, ssh_host: SshHost, by_ssh: Access) -> None:
    ssh_host.lose_libvirt(shell)
    case = Refusal(SshHost.lose_libvirt, Unreachable, "no libvirt on the host", "apt-get install")
    holds(case, refusal(replace(by_ssh, uri=f"{by_ssh.uri}?proxy={proxy}")))


def test_daemons_that_were_killed_leave_their_sockets(ssh_host: SshHost, by_ssh: Access) -> None:
    for kind in ("libvirt", "virtqemud"):
        ssh_host.start_by_socket(kind)
        ssh_host.run("pkill", "-KILL", "-x", "systemd-socket-")
        error = refusal(by_ssh)
        assert (type(error), f"{kind}-sock': Connection refused" in error.libvirt) == (Unreachable, True)
        assert "virtqemud.socket" in error.hint


def test_ssh_itself_gives_up_on_a_silent_host(ssh_host: SshHost, by_ssh: Access) -> None:
    """ssh's own limit may come before ours: the words are the same."""
    ssh_host.go_dark()
    error = refusal(by_ssh, timeout=20)
    assert (type(error), "Connection timed out" in error.libvirt) == (TimedOut, True)


def test_a_host_whose_key_nobody_confirmed(by_ssh: Access, ssh_client: SshClient) -> None:
    ssh_client.forget()
    assert type(refusal(by_ssh)) is HostKeyUnknown
    assert type(refusal(replace(by_ssh, ssh=None))) is HostKeyUnknown


def test_modular_daemons_and_daemons_behind_sockets_are_reached(ssh_host: SshHost, by_ssh: Access) -> None:
    for kind in ("virtqemud", "libvirt"):
        ssh_host.start_by_socket(kind)
        assert is_reached(by_ssh)


@pytest.fixture
def by_tcp(tcp_host: TcpHost) -> Access:
    """The tcp host, reached."""
    return Access(tcp_host.uri.replace("//", f"//{tcp_host.user}@"), password=tcp_host.password)


def use_mechanism(host: TcpHost, name: str) -> None:
    (host.etc / "sasl2" / "libvirt.conf").write_text(f"mech_list: {name}\nsasldb_path: /etc/libvirt/passwd.db\n")
    host.restart_daemon()


TCP = {
    "password": Refusal(
        lambda host: host.set_password("another"),
        PasswordRefused,
        "not accept this user and password",
        "saslpasswd2 -a libvirt USER",
    ),
    "mechanism": Refusal(
        lambda host: use_mechanism(host, "gssapi"), PasswordRefused, "not accept this", "digest-md5 for tcp"
    ),
    "stopped": Refusal(
        lambda host: host.stop_daemon(), Unreachable, "does not listen", "systemctl enable --now libvirtd-tcp.socket"
    ),
    "modular": Refusal(
        lambda host: host.start_by_socket("virtqemud"), Unreachable, "does not listen", "virtproxyd-tcp.socket"
    ),
    "closed": Refusal(lambda host: host.close_port("closed"), Unreachable, "does not listen", "libvirtd-tcp.socket"),
    "forbidden": Refusal(lambda host: host.close_port("forbidden"), Unreachable, "no way to this", "16509 for tcp"),
    "silent": Refusal(lambda host: host.close_port("silent"), TimedOut, "no answer in time", "no firewall drops"),
    "dark": Refusal(lambda host: host.go_dark(), TimedOut, "no answer in time", "the host is on"),
    "frozen": Refusal(lambda host: host.freeze_daemon(), TimedOut, "no answer in time", "systemctl restart libvirtd"),
}


@pytest.mark.parametrize("name", TCP)
def test_a_tcp_host_that_refuses(name: str, tcp_host: TcpHost, by_tcp: Access) -> None:
    TCP[name].provoke(tcp_host)
    holds(TCP[name], refusal(by_tcp, timeout=TCP[name].seconds))


def test_a_new_password_is_set_as_the_words_say(tcp_host: TcpHost, by_tcp: Access) -> None:
    error = refusal(replace(by_tcp, password="wrong"))
    assert type(error) is PasswordRefused
    command = f"saslpasswd2 -a libvirt {tcp_host.user}"
    assert command in error.hint.replace("USER", tcp_host.user)
    tcp_host.run("sh", "-c", f"{command} -p", stdin="wrong")
    assert is_reached(replace(by_tcp, password="wrong"))


def test_a_host_that_wants_a_password_says_so(tcp_host: TcpHost) -> None:
    error = refusal(Access(tcp_host.uri))
    assert (type(error), "wants a user and a password" in error.detail) == (PasswordRefused, True)


def test_a_machine_without_sasl_modules_says_so(tcp_host: TcpHost, by_tcp: Access) -> None:
    script = (
        "import sys, virt.connection as c, virt.access as a\n"
        "try: c.open_connection(a.Access(sys.argv[1], password=sys.argv[2]))\n"
        "except Exception as error: print(type(error).__name__, error.hint, flush=True)\n"
        "import os; os._exit(0)"
    )
    command = [sys.executable, "-c", script, by_tcp.uri, by_tcp.password]
    said = subprocess.check_output(command, text=True, cwd=HOME, env={**os.environ, "SASL_PATH": "/nonexistent"})
    assert said.startswith("PasswordRefused")
    assert "apt-get install libsasl2-modules" in said


def test_a_host_that_listens_by_socket_is_reached(tcp_host: TcpHost, by_tcp: Access) -> None:
    tcp_host.start_by_socket()
    assert is_reached(by_tcp)


def test_a_port_where_nobody_listens(by_tcp: Access, tcp_host: TcpHost) -> None:
    error = refusal(replace(by_tcp, uri=f"qemu+tcp://{tcp_host.user}@{tcp_host.address}:16600/system"))
    assert (type(error), "16509 for tcp" in error.hint) == (Unreachable, True)


def test_an_ssh_port_is_not_libvirts(ssh_host: SshHost) -> None:
    error = refusal(Access(f"qemu+tcp://{ssh_host.address}:22/system"))
    assert (type(error), "something else answers" in error.detail) == (Unreachable, True)


@pytest.fixture
def by_tls(tls_host: TlsHost) -> Access:
    """The tls host, reached."""
    return Access(tls_host.uri, pki=tls_host.client("known"))


OURS = {
    "expired": ("has expired", "sign a new one"),
    "early": ("not valid yet", "clock"),
    "foreign": ("not accept our certificate", "/etc/pki/CA/cacert.pem"),
    "nobody": ("not accept our certificate", "/etc/pki/CA/cacert.pem"),
    "mixed": ("not signed by the authority", "authority that signed ours"),
    "stranger": ("of another authority", "servercert.pem"),
    "outdated": ("authority has expired", "new certificate"),
    "swapped": ("do not belong together", "PEM"),
    "rubbish": ("cannot be read", "PEM"),
}


@pytest.mark.parametrize("who", OURS)
def test_a_certificate_that_does_not_do(who: Any, tls_host: TlsHost) -> None:
    detail, hint = OURS[who]
    case = Refusal(tls_host.client, CertificateRefused, detail, hint)
    holds(case, refusal(Access(tls_host.uri, pki=tls_host.client(who))))


def test_no_certificates_at_all(tls_host: TlsHost, tmp_path: Path) -> None:
    error = refusal(Access(tls_host.uri, pki=tmp_path))
    assert (type(error), "no certificates" in error.detail) == (CertificateRefused, True)


def other_address(host: TlsHost) -> None:
    host.use_certificate(address="10.9.9.9")
    host.restart_daemon()


def ran_out(host: TlsHost) -> None:
    """The certificate ends while libvirtd runs with it, which it has to have begun to before."""
    lasts = timedelta(seconds=6)
    over = datetime.now(UTC) + lasts + timedelta(seconds=1)
    host.use_certificate(valid=(-timedelta(days=1), lasts))
    host.restart_daemon()
    wait_for(lambda: datetime.now(UTC) > over)


def allow_others_only(host: TlsHost) -> None:
    host.write_conf(tls_allowed_dn_list=["CN=somebody"])
    host.restart_daemon()


TLS = {
    "other-address": Refusal(other_address, CertificateRefused, "for another address", "openssl x509"),
    "ran-out": Refusal(ran_out, CertificateRefused, "host's certificate has expired", "-enddate"),
    "not-listed": Refusal(allow_others_only, CertificateRefused, "not accept our", "tls_allowed_dn_list"),
    "stopped": Refusal(lambda host: host.stop_daemon(), Unreachable, "does not listen", "libvirtd-tls.socket"),
    "modular": Refusal(
        lambda host: host.start_by_socket("virtqemud"), Unreachable, "does not listen", "virtproxyd-tls.socket"
    ),
    "forbidden": Refusal(lambda host: host.close_port("forbidden"), Unreachable, "no way to this", "16514 for tls"),
    "dark": Refusal(lambda host: host.go_dark(), TimedOut, "no answer in time", "the host is on"),
}


@pytest.mark.parametrize("name", TLS)
def test_a_tls_host_that_refuses(name: str, tls_host: TlsHost, by_tls: Access) -> None:
    TLS[name].provoke(tls_host)
    holds(TLS[name], refusal(by_tls, timeout=TLS[name].seconds))


def test_a_port_without_tls(tls_host: TlsHost, ssh_host: SshHost, by_tls: Access) -> None:
    error = refusal(replace(by_tls, uri=f"qemu+tls://{ssh_host.address}:22/system"))
    assert (type(error), "does not speak TLS" in error.detail) == (Unreachable, True)
