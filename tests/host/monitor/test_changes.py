"""What happens on the host is in the rows at once."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.guests import ISO
from tests.host.monitor.conftest import PREFIX, Guest, House, virsh
from tests.waiting import wait_for

# Of the 250 ms from an outside change to the open page, the rest is the live channel's.
COMMIT_SECONDS = 0.15
TRIES = 3


def stream(house: House) -> list[dict[str, str]]:
    return [values for _id, values in house.redis.xrange("webvirt:live")]


def test_a_guest_is_followed_through_its_life(house: House, guest: Guest) -> None:
    steps = [
        (("define", str(guest.xml)), "shutoff"),
        (("start", guest.name), "running"),
        (("suspend", guest.name), "paused"),
        (("resume", guest.name), "running"),
        (("destroy", guest.name), "shutoff"),
        (("undefine", guest.name), None),
    ]
    for arguments, state in steps:
        virsh(*arguments)
        wait_for(lambda: house.state(guest) == state, 5)  # noqa: B023 - awaited at once
    assert house.query("select count(*) from instances_instance where name = ?", guest.name) == [(0,)]


def test_twenty_changes_are_in_the_rows_before_anybody_notices(
    house: House, guest: Guest, record_property: Callable[[str, object], None]
) -> None:
    virsh("define", str(guest.xml))
    virsh("start", guest.name)
    wait_for(lambda: house.state(guest) == "running", 5)

    def p95_of_twenty() -> float:
        waited = []
        for _ in range(10):
            for verb, state in (("suspend", "paused"), ("resume", "running")):
                virsh(verb, guest.name)
                began = time.monotonic()
                while house.state(guest) != state:
                    assert time.monotonic() - began < 5, f"{verb} was not seen"
                    time.sleep(0.001)
                waited.append(time.monotonic() - began)
        return sorted(waited)[18]

    # What is slow of itself is slow each time; what else the machine has to do is not.
    p95 = p95_of_twenty()
    for _ in range(TRIES - 1):
        p95 = p95 if p95 < COMMIT_SECONDS else p95_of_twenty()
    record_property("milliseconds from virsh to the row, p95", round(p95 * 1000))
    assert p95 < COMMIT_SECONDS


def test_the_stream_tells_of_a_guest_only_when_its_row_is_there(house: House, guest: Guest) -> None:
    virsh("define", str(guest.xml))
    [(pk,)] = wait_for(lambda: house.query("select id from instances_instance where name = ?", guest.name), 5)
    wait_for(lambda: {"type": "instance", "id": str(pk), "change": "added"} in stream(house), 5)
    virsh("undefine", guest.name)
    wait_for(lambda: {"type": "instance", "id": str(pk), "change": "removed"} in stream(house), 5)
    assert house.state(guest) is None


def test_what_only_saved_memory_needs_is_in_use_until_it_went_on(house: House, guest: Guest) -> None:
    virsh("define", str(guest.xml))
    virsh("attach-disk", guest.name, ISO, "sda", "--type", "cdrom", "--targetbus", "sata", "--config")
    virsh("start", guest.name)
    virsh("managedsave", guest.name)
    virsh("define", str(guest.xml))  # which has no disc
    ejected = "select 1 from instances_instance where name = ? and has_managed_save and disks not like ?"
    wait_for(lambda: house.query(ejected, guest.name, f"%{ISO}%"), 5)
    in_use = "select 1 from storage_volumeuse where path = ? and instance_name = ?"
    assert house.query(in_use, ISO, guest.name)
    virsh("start", guest.name)
    virsh("destroy", guest.name)
    wait_for(lambda: not house.query(in_use, ISO, guest.name), 5)


def test_a_transient_guest_is_there_while_it_runs(house: House, guest: Guest) -> None:
    virsh("create", str(guest.xml))
    wait_for(lambda: house.state(guest) == "running", 5)
    assert house.query("select persistent from instances_instance where name = ?", guest.name) == [(0,)]
    virsh("destroy", guest.name)
    wait_for(lambda: house.state(guest) is None, 5)


def test_a_definition_edited_for_the_next_start_is_seen(house: House, guest: Guest) -> None:
    virsh("define", str(guest.xml))
    wait_for(lambda: house.state(guest), 5)
    guest.xml.write_text(guest.xml.read_text().replace("<vcpu>1<", "<vcpu>3<"))
    virsh("define", str(guest.xml))
    wait_for(lambda: house.query("select vcpus from instances_instance where name = ?", guest.name) == [(3,)], 5)


def settle(house: House, refs: str) -> str:
    """What a job does at its end, in a process of its own."""
    return house.manage(
        "shell",
        "--command",
        "from uuid import UUID\nfrom accounts.rights import Ref\nfrom hosts.models import Host\n"
        f"from hosts.settle import settle\nid = Host.objects.get().pk\nprint('settled', settle(id, [{refs}]))",
    )


def test_a_job_sees_the_volume_that_it_made(house: House, tmp_path: Path) -> None:
    pool = f"{PREFIX}{uuid4().hex[:8]}"
    try:
        virsh("pool-create-as", pool, "dir", "--target", str(tmp_path))
        [(pk, uuid)] = wait_for(lambda: house.query("select id, uuid from storage_pool where name = ?", pool), 5)
        virsh("vol-create-as", pool, "a.img", "1M")
        ref = f"Ref('volume', id, UUID('{uuid}'), 'a.img')"
        assert "settled True" in settle(house, ref)
        assert house.query("select name, capacity_bytes from storage_volume where pool_id = ?", pk) == [
            ("a.img", 1 << 20)
        ]
        virsh("vol-delete", "a.img", "--pool", pool)
        assert "settled True" in settle(house, ref)
        assert house.query("select name from storage_volume where pool_id = ?", pk) == []
    finally:
        subprocess.run(["virsh", "pool-destroy", pool], capture_output=True)
    wait_for(lambda: not house.query("select id from storage_pool where name = ?", pool), 5)


def test_a_volume_made_outside_is_seen_without_an_event(house: House, tmp_path: Path) -> None:
    pool = f"{PREFIX}{uuid4().hex[:8]}"
    try:
        virsh("pool-create-as", pool, "dir", "--target", str(tmp_path))
        wait_for(lambda: house.query("select id from storage_pool where name = ?", pool), 5)
        virsh("vol-create-as", pool, "b.img", "1M")
        wait_for(lambda: house.query("select id from storage_volume where name = 'b.img'"), 20)
    finally:
        subprocess.run(["virsh", "pool-destroy", pool], capture_output=True)


def test_figures_come_every_five_seconds(house: House, guest: Guest) -> None:
    virsh("create", str(guest.xml))
    [(pk,)] = wait_for(lambda: house.query("select id from instances_instance where name = ?", guest.name), 5)
    key = f"webvirt:figures:instance:{pk}:now"
    first = wait_for(lambda: house.redis.get(key), 10)
    assert '"cpu_percent": null' in first
    second: Callable[[], Any] = lambda: "null" not in house.redis.get(key).split(",")[0]  # noqa: E731
    wait_for(second, 10)


def test_a_qemu_that_is_stuck_holds_up_nobody_else(house: House, guest: Guest, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = Guest(folder)
    virsh("create", str(guest.xml))
    pid = Path(f"/run/libvirt/qemu/{guest.name}.pid").read_text()
    try:
        virsh("create", str(other.xml))
        [(pk,)] = wait_for(lambda: house.query("select id from instances_instance where name = ?", other.name), 5)
        subprocess.run(["kill", "-STOP", pid], check=True)
        # Longer than the first held call is waited for, and than the latest figures are kept.
        key = f"webvirt:figures:instance:{pk}:now"
        until = time.monotonic() + 25
        wait_for(lambda: time.monotonic() > until and house.redis.get(key), 30)
        assert house.host("state") == "up"
        virsh("suspend", other.name)
        wait_for(lambda: house.state(other) == "paused", 5)
    finally:
        subprocess.run(["kill", "-CONT", pid], check=True)
        other.remove()
