"""The checklist of a host, as far as it goes without one: what is closed, silent or unknown, and what figures mean."""

import shlex
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from virt import storage
from virt.access import Access
from virt.checklist import console, daemon, entry, inside
from virt.checklist.asking import within
from virt.checklist.line import Line, State
from virt.checklist.run import check, planned
from virt.checklist.seen import MARK, SCRIPT, look_here, parse
from virt.connection import Connection
from virt.errors import Denied, PartAway, TimedOut, Unreachable
from virt.hosts import HostFigures
from virt.transport import endpoint
from virt.xml.storage import Pool

GIB = 1024**3


def lines_of(uri: str) -> dict[str, Line]:
    return {line.name: line for line in check(Access(uri), let_in="true")}


def states(lines: dict[str, Line]) -> set[State]:
    return {line.state for line in lines.values()}


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_host_in_memory_is_looked_at_from_versions_to_memory() -> None:
    lines = lines_of("test:///default")
    assert list(lines) == ["daemon", "versions", "pool", "network", "memory"]
    assert lines["network"].title % lines["network"].params == "network default"
    assert lines["pool"].params["name"] == "default-pool"
    assert State.FAILED not in states(lines)


def test_a_name_that_nobody_knows_says_so_and_nothing_after_it_is_tried() -> None:
    lines = lines_of("qemu+tcp://nowhere.invalid/system")
    name = lines.pop("name")
    assert name.title % name.params == "the name nowhere.invalid is not known"
    assert (name.where, name.command) == ("webvirt", "getent hosts nowhere.invalid")
    assert states(lines) == {State.NOT_TRIED}


@pytest.mark.parametrize(
    ("transport", "why", "command"),
    [
        ("ssh", "No ssh server listens there.", "systemctl enable --now ssh"),
        ("tcp", "libvirt does not listen there.", "libvirtd-tcp.socket"),
        ("tls", "libvirt does not listen there.", "virtproxyd-tls.socket"),
    ],
)
def test_a_closed_port_says_who_should_listen(transport: str, why: str, command: str, closed: int) -> None:
    lines = lines_of(f"qemu+{transport}://127.0.0.1:{closed}/system")
    port = lines["port"]
    assert lines["name"].state is State.OK
    assert (port.title % port.params, port.detail) == (f"port {closed} is closed", why)
    assert command in port.command
    assert {line.split("  # ")[1] for line in port.command.splitlines()} == {"Debian, Ubuntu", "RHEL, Fedora"}


def test_the_address_with_a_port_is_written_as_an_address_takes_it() -> None:
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", 0))
        port = lines_of(f"qemu+ssh://[::1]:{taken.getsockname()[1]}/system")["port"]
    assert (port.hint % port.params).endswith("write that into the address: [::1]:PORT.")


def test_an_open_port_is_told_with_its_time(silent: int) -> None:
    port = lines_of(f"qemu+ssh://127.0.0.1:{silent}/system")["port"]
    assert port.state is State.OK
    assert float(port.params["ms"]) < 1000


def test_an_ssh_host_whose_key_nobody_confirmed_is_not_entered(silent: int) -> None:
    lines = lines_of(f"qemu+ssh://webvirt@127.0.0.1:{silent}/system")
    assert lines["host_key"].state is State.FAILED
    assert lines["host_key"].title == "not confirmed yet"
    assert "ssh-keygen -lf" in lines["host_key"].command
    assert {lines[name].state for name in ("key", "shell", "daemon", "console")} == {State.NOT_TRIED}


def test_a_daemon_that_stays_silent_is_told_apart_from_one_that_is_away(
    silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virt.checklist.daemon.OPEN_SECONDS", 0.5)
    began = time.monotonic()
    lines = lines_of(f"qemu+tcp://127.0.0.1:{silent}/system")
    assert time.monotonic() - began < 5
    assert lines["daemon"].title == "accepts us and then stays silent"
    assert "systemctl restart libvirtd" in lines["daemon"].command
    assert lines["password"].state is State.NOT_TRIED


def test_every_way_to_a_host_plans_the_lines_that_it_needs() -> None:
    ssh = planned(Access("qemu+ssh://kvm-01/system"))
    assert ssh[:5] == ("name", "port", "host_key", "key", "shell")
    assert ssh[-2:] == ("clock", "console")
    assert "certificates" in planned(Access("qemu+tls://kvm-01/system"))
    assert "name" not in planned(Access("qemu:///system"))


def test_a_call_that_hangs_is_cut_at_its_deadline() -> None:
    ends, ended = socket.socketpair()
    with ends, ended, pytest.raises(TimedOut):
        within(0.1, lambda: ends.recv(1), cut=lambda: ended.shutdown(socket.SHUT_RDWR))


def test_a_call_that_fails_fails_as_it_did() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


@pytest.mark.parametrize(
    ("libvirt", "state", "title"),
    [
        (5_999_000, State.FAILED, "libvirt 5.999.0 is too old"),
        (6_000_000, State.OK, "libvirt 6.0.0 with QEMU 4.2.1"),
    ],
)
def test_libvirt_has_to_be_new_enough(libvirt: int, state: State, title: str) -> None:
    line = inside.versions(libvirt, "QEMU", 4_002_001)
    assert (line.state, line.title % line.params) == (state, title)
    assert (line.detail % line.params == "Webvirt needs libvirt 6.0.0 or newer on its hosts.") == line.failed


KVM = {"offered": False, "arch": "x86_64", "vendor": "Intel", "capable": True, "device": False}


@pytest.mark.parametrize(
    ("found", "title", "command"),
    [
        ({}, "/dev/kvm is missing", "modprobe kvm_intel"),
        ({"vendor": "AMD", "device": None}, "/dev/kvm is missing", "modprobe kvm_amd"),
        ({"device": True}, "/dev/kvm is there, and libvirt does not offer it", "chgrp kvm /dev/kvm"),
        ({"capable": False}, "the processor shows neither vmx nor svm", "/proc/cpuinfo"),
        ({"capable": False, "offered": True, "device": True}, "the processor shows neither vmx nor svm", "cpuinfo"),
        ({"offered": True}, "guests run on the processor itself", ""),
        ({"offered": True, "arch": "aarch64", "capable": False}, "guests run on the processor itself", ""),
        ({"arch": "aarch64", "vendor": "", "capable": False}, "there is no KVM", "ls -l /dev/kvm"),
    ],
)
def test_it_says_what_keeps_guests_from_running_on_the_processor(
    found: dict[str, object], title: str, command: str
) -> None:
    line = inside.kvm(**{**KVM, **found})  # type: ignore[arg-type]
    assert line.title.startswith(title)
    assert command in line.command
    assert line.state is (State.OK if title.startswith("guests") else State.WARNING)


def test_a_host_without_qemu_is_told_what_to_install() -> None:
    line = inside.no_qemu("Cannot find suitable emulator for x86_64")
    assert (line.state, line.title) == (State.FAILED, "QEMU is not found")
    assert "dnf install qemu-kvm" in line.command


@pytest.mark.parametrize(("free", "state"), [(GIB, State.OK), (GIB // 4, State.WARNING)])
def test_little_memory_is_a_warning(free: int, state: State) -> None:
    line = inside.memory(HostFigures(cpu=None, memory_total_bytes=16 * GIB, memory_free_bytes=free))
    assert line.state is state
    assert line.params == {"free_bytes": str(free), "total_bytes": str(16 * GIB)}


@pytest.mark.parametrize(
    ("ahead", "title"), [(0, "as here"), (-2, "as here"), (3600, "3600 s ahead of"), (-61, "61 s behind")]
)
def test_clocks_may_differ_by_seconds_only(ahead: int, title: str) -> None:
    line = entry.clock(ahead)
    assert (line.title % line.params).startswith(title)
    assert line.state is (State.OK if title == "as here" else State.WARNING)


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("127.0.0.1", State.WARNING),
        ("::1", State.WARNING),
        ("localhost", State.WARNING),
        ("::", State.OK),
        ("10.0.0.14", State.OK),
    ],
)
def test_screens_that_listen_on_the_host_alone_are_a_warning(address: str, state: State) -> None:
    line = console.listens(address, "kvm-04")
    assert line.state is state
    assert ('vnc_listen = "kvm-04"' in line.command) == (state is State.WARNING)


def test_what_is_seen_on_a_host_is_read_from_what_it_prints() -> None:
    told = "time 1700000000\nuser webvirt\ngroups webvirt libvirt\ninstalled libvirtd\nsocket libvirt\nprocessor svm\n"
    seen = parse(told)
    assert (seen.time, seen.user, seen.kvm) == (1700000000, "webvirt", False)
    assert "libvirt" in seen.groups
    assert [*seen.installed, *seen.sockets, *seen.processor] == ["libvirtd", "libvirt", "svm"]
    assert parse("").user == ""


def test_looking_around_here_tells_who_we_are_and_when() -> None:
    seen = look_here()
    assert abs(seen.time - time.time()) < 5
    assert seen.user and seen.groups
    assert MARK in SCRIPT


def test_a_user_whom_polkit_refuses_is_put_into_the_group() -> None:
    access = Access("qemu+ssh://webvirt@kvm-01/system")
    said = "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'"
    seen = replace(look_here(), user="webvirt", groups=frozenset())
    lines = list(daemon.refusal(access, endpoint(access.uri), seen, Denied(libvirt=said)))
    assert [(line.name, line.state) for line in lines] == [("daemon", State.OK), ("permission", State.FAILED)]
    assert lines[1].command == "usermod --append --groups libvirt webvirt"


@pytest.mark.parametrize("name", ["virtstoraged", "virtnetworkd"])
def test_a_modular_daemon_that_is_away_is_named(name: str) -> None:
    said = f"Failed to connect socket to '/var/run/libvirt/{name}-sock': No such file or directory"
    line = inside.unanswered("pool", PartAway(params={"daemon": name}, libvirt=said))
    assert line.title % line.params == f"{name} does not run"
    assert line.command == f"systemctl enable --now {name}.socket"


@pytest.mark.parametrize(
    ("sockets", "may_open", "failed", "title"),
    [
        ([], [], "daemon", "does not run"),
        (["libvirt"], [], "permission", "webvirt may not use libvirt"),
        (["libvirt"], ["libvirt"], "daemon", "The host cannot be reached"),
    ],
)
def test_what_libvirt_did_not_say_is_taken_from_what_was_seen(
    sockets: list[str], may_open: list[str], failed: str, title: str
) -> None:
    access = Access("qemu+ssh://webvirt@kvm-01/system")
    seen = replace(
        look_here(), user="webvirt", installed=frozenset(["libvirtd"]),
        sockets=frozenset(sockets), open=frozenset(may_open),
    )  # fmt: skip
    *_, line = daemon.refusal(access, endpoint(access.uri), seen, Unreachable(libvirt="Cannot recv data"))
    assert (line.name, line.state, line.title % line.params) == (failed, State.FAILED, title)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("sh: 1: nc: not found: Input/output error", "ssh reaches a socket that the address names by nc"),
        (
            "bash: line 1: nc: command not found: Input/output error",
            "ssh reaches a socket that the address names by nc",
        ),
        ("nc: unix connect failed: No such file or directory: Input/output error", "Nobody listens at the socket /x"),
        ("nc: /x: Connection refused: Input/output error", "Nobody listens at the socket /x"),
    ],
)
def test_a_socket_that_the_address_names_is_not_taken_for_a_libvirt_that_is_away(said: str, words: str) -> None:
    """As it was seen, and as netcat-openbsd and ncat say it."""
    access = Access("qemu+ssh://webvirt@kvm-01/system?socket=/x")
    error = Unreachable(libvirt=f"End of file while reading data: {said}")
    (line,) = daemon.refusal(access, endpoint(access.uri), look_here(), error)
    assert (line.detail % line.params).startswith(words)
    assert "libvirt-daemon-system" not in line.hint


def test_what_one_users_own_libvirt_lacks_is_not_mended_in_the_systems(conn: Connection) -> None:
    line = Line("pool", State.WARNING, "there is no pool", command="virsh -c qemu:///system pool-list", where="host")
    assert inside.of_own(conn, line) == line
    own = replace(line, command="", where="")
    assert inside.of_own(Connection("qemu+ssh://webvirt@kvm-01/session", conn.handle), line) == own


def test_the_commands_that_start_what_is_stopped_name_it_as_a_shell_reads_it(conn: Connection) -> None:
    name = "it's $(mine)"
    for pool in storage.list_pools(conn):
        storage.remove_pool(conn, pool.uuid)
    storage.define_pool(conn, Pool(type="dir", name=name, path="/mine"), autostart=False, start=False, build=False)
    line = inside._pool(conn)
    assert line.title % line.params == f"the pool {name} is stopped"
    virsh = ["virsh", "-c", "qemu:///system"]
    assert shlex.split(line.command) == [*virsh, "pool-start", name, "&&", *virsh, "pool-autostart", name]
