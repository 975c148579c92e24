"""A silent host, a killed monitor, a lost Redis: the rows say so, and are true again after."""

import time

from tests.host.monitor.conftest import Guest, House, virsh
from tests.virsh import kill_libvirtd, stopped_libvirtd
from tests.waiting import wait_for

NOTICED_SECONDS = 15.0


def test_a_silent_host_is_down_in_time_and_true_again_after(house: House, guest: Guest) -> None:
    virsh("define", str(guest.xml))
    wait_for(lambda: house.state(guest) == "shutoff", 5)
    with stopped_libvirtd():
        began = time.monotonic()
        wait_for(lambda: house.host("state") == "down", NOTICED_SECONDS + 5)
        noticed = time.monotonic() - began
        assert house.state(guest) == "shutoff", "rows keep what was last known"
        assert '"timed_out"' in house.host("error")
        assert house.redis.exists("webvirt:alive:monitor")
    virsh("start", guest.name)
    wait_for(lambda: house.host("state") == "up", 20)
    assert noticed < NOTICED_SECONDS
    assert house.host("error") is None
    wait_for(lambda: house.state(guest) == "running", 5)


def test_a_crash_of_libvirtd_is_over_in_seconds_and_its_guests_run_on(house: House, guest: Guest) -> None:
    """What keeps libvirtd running here (an init system, or script/server) starts it again, and the monitor follows."""
    virsh("define", str(guest.xml))
    virsh("start", guest.name)
    wait_for(lambda: house.state(guest) == "running", 5)
    synced = house.host("synced_at")
    kill_libvirtd()
    assert virsh("domstate", guest.name).strip() == "running"
    wait_for(lambda: house.host("state") == "up" and house.host("synced_at") != synced, 30)
    assert house.state(guest) == "running"
    virsh("destroy", guest.name)
    wait_for(lambda: house.state(guest) == "shutoff", 5)


def test_a_monitor_that_was_killed_starts_again_and_makes_all_true(house: House, guest: Guest) -> None:
    assert house.monitor
    for _ in range(3):
        house.monitor.kill()
        house.monitor.wait(timeout=10)
        guest.remove()
        virsh("define", str(guest.xml))
        synced = house.host("synced_at")
        house.start_monitor()
        wait_for(lambda: house.state(guest) == "shutoff", 20)
        wait_for(lambda: house.host("synced_at") != synced, 20)  # noqa: B023 - awaited at once
    assert house.host("state") == "up"


def leases(house: House) -> list[str]:
    """The hosts that a monitor holds."""
    return list(house.redis.scan_iter("webvirt:host:*:monitor"))


def test_it_ends_quickly_when_asked(house: House) -> None:
    assert house.monitor
    began = time.monotonic()
    house.monitor.terminate()
    assert house.monitor.wait(timeout=10) == 0
    assert time.monotonic() - began < 3
    assert leases(house) == []
    assert house.redis.zcard("webvirt:monitors") == 0
    house.start_monitor()
    wait_for(lambda: leases(house), 10)


def test_rows_stay_true_without_redis(house: House, guest: Guest) -> None:
    house.redis_process.kill()
    house.redis_process.wait(timeout=10)
    try:
        virsh("define", str(guest.xml))
        wait_for(lambda: house.state(guest) == "shutoff", 10)
    finally:
        house.redis_process = house.start_redis()
    wait_for(lambda: house.redis.exists("webvirt:alive:monitor"), 10)
    virsh("start", guest.name)
    wait_for(lambda: house.state(guest) == "running", 5)


def test_a_host_that_is_added_or_taken_away_is_heard_of(house: House) -> None:
    house.manage("host", "add", "second", "test:///default")
    found = "select state, driver from hosts_hoststatus join hosts_host on id = host_id where name = 'second'"
    began = time.monotonic()
    wait_for(lambda: house.query(found) == [("up", "TEST")], 5)
    assert time.monotonic() - began < 3
    wait_for(lambda: house.query("select count(*) from instances_instance where name = 'test'") == [(1,)], 5)
    house.manage("shell", "--command", "from hosts.models import Host; Host.objects.get(name='second').delete()")
    wait_for(lambda: not house.query(found), 5)
    assert house.monitor
    assert house.monitor.poll() is None


def test_a_host_that_cannot_be_reached_says_why(house: House) -> None:
    house.manage("host", "add", "nobody", "qemu+unix:///system?socket=/nonexistent.sock")
    found = "select state from hosts_hoststatus join hosts_host on id = host_id where name = 'nobody'"
    wait_for(lambda: house.query(found) == [("down",)], 10)
    assert "nobody" in house.manage("host", "list")
    house.manage("shell", "--command", "from hosts.models import Host; Host.objects.get(name='nobody').delete()")
