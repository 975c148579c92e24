"""Displays of guests on other machines, through the real service."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
import redis
import websockets

from tests.door import Door
from tests.guests import ipxe_guest
from tests.lab.certificates import Authority, lay_down
from tests.lab.host import Host
from tests.lab.ssh_host import SshClient, SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.screen import Screen, close_code, shows_the_whole_screen
from tests.waiting import wait_for
from virt import domains
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.definition import LOOPBACK


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, redis_process: redis.Redis) -> Iterator[Door]:
    with Door(tmp_path_factory.mktemp("c")) as door:
        yield door


class Far:
    """A running guest on a host of the lab, to which the door leads."""

    def __init__(self, door: Door, conn: Connection, uuid: UUID, access: Access, machine: Host) -> None:
        self.door, self.conn, self.uuid, self.access, self.machine = door, conn, uuid, access, machine

    def screen(self) -> websockets.sync.client.ClientConnection:
        return self.door.open(self.door.token(self.door.alice).token, cookie=self.door.alice.session)

    def refusal(self) -> tuple[int, str]:
        """How the service ends a console that it let in."""
        with self.screen() as connection:
            with pytest.raises(websockets.ConnectionClosed) as ended:
                connection.recv(timeout=30)
            assert ended.value.rcvd
            return ended.value.rcvd.code, ended.value.rcvd.reason

    def restart(self, graphics: str) -> None:
        """Start it anew with another display."""
        domain = self.conn.domain(self.uuid)
        domain.destroy()
        definition = domain.XMLDesc(0)
        kept, _, rest = definition.partition("<graphics")
        self.conn.handle.defineXML(f"{kept}{graphics}{rest.partition('</graphics>')[2]}")
        domain.create()


def ssh_programs(door: Door) -> list[str]:
    """The ssh programs of this door's Webvirt."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words.startswith(b"ssh") and str(door.data).encode() in words:
            found.append(entry.name)
    return found


@pytest.fixture
def by_ssh(door: Door, ssh_host: SshHost, ssh_client: SshClient) -> Iterator[Far]:
    ssh_host.trust(door.shell("from hosts.keys import own_public_key; print(own_public_key())"))
    access = Access(ssh_host.uri, ssh=ssh_client.command)
    with open_connection(access) as conn, ipxe_guest("t-far", access=access) as (uuid, _):
        domains.start(conn, uuid)
        door.lead_to(ssh_host.uri, uuid, host_key=ssh_host.host_key)
        yield Far(door, conn, uuid, access, ssh_host)


def test_ssh_leads_to_the_screen_and_one_connection_carries_all(by_ssh: Far) -> None:
    door = by_ssh.door
    wait_for(lambda: shows_the_whole_screen(door), 30)
    with by_ssh.screen() as first, by_ssh.screen() as second:
        Screen(first).begin()
        Screen(second).begin()
        assert len(ssh_programs(door)) == 1
    with ThreadPoolExecutor() as pool:
        assert all(pool.map(lambda _: shows_the_whole_screen(door), range(6)))
    wait_for(lambda: not door.children())
    assert len(ssh_programs(door)) == 1
    assert list((door.data / "run" / "opening").iterdir()) == []


def test_the_guests_end_is_a_clean_end_by_ssh_too(by_ssh: Far) -> None:
    with by_ssh.screen() as connection:
        Screen(connection).begin()
        domains.destroy(by_ssh.conn, by_ssh.uuid)
        assert close_code(connection) == 1000
    wait_for(lambda: not by_ssh.door.children())
    assert by_ssh.refusal() == (4404, "invalid_state")


def test_another_key_is_not_served_by_the_connection_of_the_old_one(
    by_ssh: Far, ssh_host: SshHost, ssh_client: SshClient
) -> None:
    door = by_ssh.door
    wait_for(lambda: shows_the_whole_screen(door), 30)
    ssh_host.change_host_key()
    door.lead_to(ssh_host.uri, by_ssh.uuid, host_key=ssh_host.host_key[:-3] + "AAA")
    assert by_ssh.refusal() == (4404, "host_key_changed")
    door.lead_to(ssh_host.uri, by_ssh.uuid, host_key=ssh_host.host_key)
    wait_for(lambda: shows_the_whole_screen(door), 30)
    ssh_client.forget()
    ssh_client.know(ssh_host)


def test_ssh_leads_to_a_socket_of_its_own_user_and_to_one_that_is_not_its_users_it_does_not(
    by_ssh: Far, ssh_host: SshHost
) -> None:
    by_ssh.restart("<graphics type='vnc' socket='/tmp/t-far.vnc'/>")
    assert by_ssh.refusal() == (4404, "no_way")
    ssh_host.run("chmod", "666", "/tmp/t-far.vnc")
    wait_for(lambda: shows_the_whole_screen(by_ssh.door), 30)


@pytest.mark.parametrize(
    ("graphics", "why"),
    [
        ("<graphics type='vnc'><listen type='none'/></graphics>", "out_of_reach"),
        ("<graphics type='spice' autoport='yes' listen='127.0.0.1'/>", "not_found"),
    ],
)
def test_what_ssh_cannot_lead_to_is_said(by_ssh: Far, graphics: str, why: str) -> None:
    by_ssh.restart(graphics)
    assert by_ssh.refusal() == (4404, why)


def test_a_host_that_forwards_nothing_is_told_apart(by_ssh: Far, ssh_host: SshHost) -> None:
    ssh_host.run("tee", "-a", "/etc/ssh/sshd_config", stdin="AllowTcpForwarding no\n")
    ssh_host.stop_sshd()
    ssh_host.start_sshd()
    # Another address, or the connection that stands would go on being used.
    by_ssh.door.lead_to(f"qemu+ssh://webvirt@{ssh_host.address}:22/system", by_ssh.uuid, host_key=ssh_host.host_key)
    assert by_ssh.refusal() == (4404, "no_way")


def test_a_displays_password_is_asked_of_the_browser(by_ssh: Far) -> None:
    by_ssh.restart("<graphics type='vnc' autoport='yes' listen='127.0.0.1' passwd='t-secret'/>")

    def asks() -> bool:
        with by_ssh.screen() as connection:
            screen = Screen(connection)
            assert screen.read(12) == b"RFB 003.008\n"
            connection.send(b"RFB 003.008\n")
            return list(screen.read(screen.read(1)[0])) == [2]

    wait_for(asks, 30)


def test_a_display_by_tls_alone_is_refused_in_words(by_ssh: Far, ssh_host: SshHost) -> None:
    authority = Authority("Displays")
    certificate, key = authority.issue("ssh-1.lab", ssh_host.address)
    files = {"ca-cert.pem": authority.pem, "server-cert.pem": certificate, "server-key.pem": key}
    lay_down(ssh_host.etc / "pki" / "libvirt-vnc", files)
    ssh_host.run("chmod", "-R", "a+rX", "/etc/pki/libvirt-vnc")
    ssh_host.run("tee", "-a", "/etc/libvirt/qemu.conf", stdin="vnc_tls = 1\n")
    by_ssh.conn.close()
    ssh_host.restart_daemon()
    with open_connection(by_ssh.access) as conn:
        by_ssh.conn = conn
        by_ssh.restart("<graphics type='vnc' autoport='yes' listen='127.0.0.1'/>")
        assert by_ssh.refusal() == (4404, "encrypted")


@pytest.fixture(params=["tcp", "tls"])
def over_the_network(request: pytest.FixtureRequest, door: Door, tcp_host: TcpHost, tls_host: TlsHost) -> Iterator[Far]:
    """A guest whose display listens where its host's configuration says."""
    if request.param == "tcp":
        uri = tcp_host.uri.replace("://", f"://{tcp_host.user}@")
        access, secrets = Access(uri, password=tcp_host.password), {"password": tcp_host.password}
    else:
        pki = tls_host.client("known")
        names = {"ca_certificate": "cacert", "client_certificate": "clientcert", "client_key": "clientkey"}
        access = Access(tls_host.uri, pki=pki)
        secrets = {name: (pki / f"{file}.pem").read_text() for name, file in names.items()}
    with open_connection(access) as conn, ipxe_guest("t-far", access=access, listen="") as (uuid, _):
        domains.start(conn, uuid)
        door.lead_to(access.uri, uuid, **secrets)
        yield Far(door, conn, uuid, access, tcp_host if request.param == "tcp" else tls_host)


def test_tcp_and_tls_show_what_listens_on_the_network(over_the_network: Far) -> None:
    wait_for(lambda: shows_the_whole_screen(over_the_network.door), 30)
    with over_the_network.screen() as connection:
        Screen(connection).begin()
        domains.destroy(over_the_network.conn, over_the_network.uuid)
        assert close_code(connection) == 1000


def test_a_console_ends_soon_after_the_host_went_dark(over_the_network: Far) -> None:
    """One that nobody uses and one that somebody types into."""
    wait_for(lambda: shows_the_whole_screen(over_the_network.door), 30)
    with over_the_network.screen() as still, over_the_network.screen() as used:
        Screen(still).begin()
        screen = Screen(used)
        screen.begin()
        over_the_network.machine.go_dark()
        screen.press(0xFF0D)
        assert [close_code(still, 20), close_code(used, 20)] == [1000, 1000]
        # What the guest's connection has to be told at its end needs the host.
        over_the_network.machine.come_back()


def test_tcp_and_tls_show_what_listens_everywhere(over_the_network: Far) -> None:
    over_the_network.restart("<graphics type='vnc' autoport='yes' listen='0.0.0.0'/>")
    wait_for(lambda: shows_the_whole_screen(over_the_network.door), 30)


def test_tcp_and_tls_do_not_take_this_machines_displays_for_the_hosts(over_the_network: Far) -> None:
    over_the_network.restart(f"<graphics type='vnc' autoport='yes' listen='{LOOPBACK}'/>")
    assert over_the_network.refusal() == (4404, "out_of_reach")
