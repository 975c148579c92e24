"""Several monitors share the hosts: what one leaves the others read, and nothing is written by two.

Each monitor runs in a folder of its own, where it finds the hosts' files: on every host there is one guest, which
has the name of the monitor that looks. So the guests' rows tell who wrote them.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from tests.fleet import write_node
from tests.host.monitor.conftest import Guest, House, virsh
from tests.waiting import wait_for

HOSTS = 12
REPLACED_SECONDS = 15.0
LEASE_SECONDS = 10.0
# A monitor lists all guests of a host that often.
LISTED_SECONDS = 30.0
GUEST = UUID("6695eb01-f6a4-8304-79aa-97f2502e193f")
ADD = """
from accounts.models import User
from hosts.services import add_host
admin = User.objects.get()
for number in range({hosts}):
    add_host(name=f"test-{{number}}", uri=f"test:///proc/self/cwd/{{number}}.xml", actor=admin)
"""
# Who is written to have looked, beside who had taken the host by then.
LOG = """
create table t_log (host_id, writer, holder);
create trigger t_added after insert on instances_instance when new.uuid = '{uuid}' begin
  insert into t_log select host_id, new.name, holder from monitor_watch where host_id = new.host_id; end;
create trigger t_changed after update on instances_instance when new.uuid = '{uuid}' begin
  insert into t_log select host_id, new.name, holder from monitor_watch where host_id = new.host_id; end;
"""


class Fleet:
    """A house with many hosts, and the monitors by name."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        folder = self.house.data / name
        folder.mkdir()
        for number in range(HOSTS):
            write_node(folder / f"{number}.xml", {GUEST: name})
        self.processes[name] = self.house.start_monitor(folder)

    def named(self, holder: str) -> str:
        pid = int(holder.split("|")[1])
        return next(name for name, process in self.processes.items() if process.pid == pid)

    def holders(self) -> dict[int, str]:
        """Which monitor holds which host, by the leases."""
        keys = list(self.house.redis.scan_iter("webvirt:host:*:monitor"))
        values = self.house.redis.mget(keys) if keys else []
        return {int(key.split(":")[2]): self.named(value) for key, value in zip(keys, values, strict=True) if value}

    def seen(self) -> dict[int, str]:
        """Whose word the rows have of each host that is up."""
        found = self.house.query(
            "select i.host_id, i.name from instances_instance i join hosts_hoststatus s on s.host_id = i.host_id"
            " where i.uuid = ? and s.state = 'up'",
            GUEST.hex,
        )
        return dict(found)

    def is_shared_by(self, *names: str) -> bool:
        """Whether each of these has a part, nobody else has, and all hosts are read by whom they belong to."""
        holders = self.holders()
        seen = self.seen()
        return (
            len(holders) == HOSTS + 1
            and self.house.query("select count(*) from hosts_hoststatus where state = 'up'") == [(HOSTS + 1,)]
            and len(seen) == HOSTS
            and set(holders.values()) == set(names)
            and all(holders[host_id] == name for host_id, name in seen.items())
        )

    def is_quiet(self) -> bool:
        """Whether all that is on the hosts has been read, so that no monitor is in the midst of writing it."""
        return self.house.query("select count(*) from hosts_hoststatus where synced_at > since") == [(HOSTS + 1,)]

    def strange_writes(self) -> list[tuple[int, str, str]]:
        """What was written by another monitor than the one that had taken the host."""
        log = self.house.query("select host_id, writer, holder from t_log")
        assert log
        return [one for one in log if one[1] != self.named(one[2])]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    house = House(tmp_path_factory.mktemp("fleet"))
    try:
        house.manage("shell", "--command", ADD.format(hosts=HOSTS))
        house.database.executescript(LOG.format(uuid=GUEST.hex))
        fleet = Fleet(house)
        fleet.start("one")
        wait_for(lambda: fleet.is_shared_by("one"), 20)
        yield fleet
    finally:
        house.stop()


@contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def settled(house: House) -> str:
    """What jobs hear that ask for a look at each host."""
    return house.manage(
        "shell",
        "--command",
        "from accounts.rights import Ref\nfrom hosts.models import Host\nfrom hosts.settle import settle\n"
        f"from uuid import UUID\nguest = UUID('{GUEST}')\n"
        "print([settle(h.pk, [Ref('instance', h.pk, guest, 'x')]) for h in Host.objects.all()])",
    )


def test_one_that_is_started_takes_its_part_and_few_hosts_move(fleet: Fleet) -> None:
    fleet.start("two")
    wait_for(lambda: fleet.is_shared_by("one", "two"), REPLACED_SECONDS)
    before = fleet.holders()
    fleet.start("three")
    wait_for(lambda: fleet.is_shared_by("one", "two", "three"), REPLACED_SECONDS)
    after = fleet.holders()
    assert {after[host_id] for host_id in after if after[host_id] != before[host_id]} == {"three"}
    assert "False" not in settled(fleet.house), "a look reaches the monitor that holds the host"
    assert fleet.strange_writes() == []


def test_the_hosts_of_one_that_was_killed_are_read_by_the_others(fleet: Fleet, guest: Guest) -> None:
    local = fleet.house.query("select id from hosts_host where name = 'local'")[0][0]
    killed = fleet.holders()[local]
    fleet.processes[killed].kill()
    began = time.monotonic()
    others = {"one", "two", "three"} - {killed}
    wait_for(lambda: fleet.is_shared_by(*others), REPLACED_SECONDS)
    virsh("define", str(guest.xml))
    wait_for(lambda: fleet.house.state(guest) == "shutoff", REPLACED_SECONDS)
    assert time.monotonic() - began < REPLACED_SECONDS
    fleet.processes[killed].wait(timeout=5)
    fleet.start("four")
    wait_for(lambda: fleet.is_shared_by(*others, "four"), REPLACED_SECONDS)
    assert fleet.strange_writes() == []


def test_one_that_stands_still_is_replaced_and_goes_on_without_writing_what_is_another_s(fleet: Fleet) -> None:
    names = set(fleet.holders().values())
    still = sorted(names)[0]
    # One that is stopped within a transaction keeps SQLite's only lock from everybody until it goes on or is killed.
    wait_for(fleet.is_quiet, 30)
    began = time.monotonic()
    with stopped(fleet.processes[still]):
        wait_for(lambda: fleet.is_shared_by(*names - {still}), REPLACED_SECONDS)
        # All that it does again and again is due when it goes on.
        wait_for(lambda: time.monotonic() - began > LISTED_SECONDS, LISTED_SECONDS + 1)
        assert fleet.is_shared_by(*names - {still})
    # It takes part again, and its hosts come back to it.
    wait_for(lambda: fleet.is_shared_by(*names), REPLACED_SECONDS)
    assert fleet.strange_writes() == []
    assert all(process.poll() is None for name, process in fleet.processes.items() if name in names)


def test_a_redis_that_is_away_for_long_and_comes_back_empty_moves_no_host(fleet: Fleet, guest: Guest) -> None:
    house = fleet.house
    before = fleet.holders()
    since = house.query("select host_id, since from hosts_hoststatus")
    began = time.monotonic()
    house.redis_process.kill()
    house.redis_process.wait(timeout=10)
    try:
        wait_for(lambda: time.monotonic() - began > LEASE_SECONDS + 2, LEASE_SECONDS + 5)
        virsh("define", str(guest.xml))
        wait_for(lambda: house.state(guest) == "shutoff", 5)
    finally:
        house.redis_process = house.start_redis()
    wait_for(lambda: house.redis.zcard("webvirt:monitors") == len(set(before.values())), 10)
    wait_for(lambda: len(fleet.holders()) == HOSTS + 1, 10)
    assert fleet.holders() == before
    assert "False" not in settled(house)
    assert house.query("select host_id, since from hosts_hoststatus") == since, "none was connected anew"
    assert fleet.strange_writes() == []


def test_one_that_is_asked_to_end_leaves_its_hosts_at_once(fleet: Fleet) -> None:
    names = set(fleet.holders().values())
    ended = sorted(names)[-1]
    fleet.processes[ended].terminate()
    assert fleet.processes[ended].wait(timeout=10) == 0
    wait_for(lambda: fleet.is_shared_by(*names - {ended}), 10)
    assert fleet.strange_writes() == []
