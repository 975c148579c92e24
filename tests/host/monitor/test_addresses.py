"""Real guests' addresses reach their rows: by a lease, and by the word of an agent."""

import json
import secrets

from tests.host.monitor.conftest import House
from tests.linux import AGENT, LEASE, LinuxGuest, linux_guest
from tests.virsh import virsh
from tests.waiting import wait_for

GUEST = f"t-address-{secrets.token_hex(3)}"
BOOT_SECONDS = 120.0


def addresses(house: House, guest: LinuxGuest) -> dict[str, str]:
    found = house.query("select addresses from instances_instance where uuid = ?", guest.uuid.hex)
    return {known["address"]: known["source"] for known in json.loads(found[0][0])} if found else {}


def state(house: House, guest: LinuxGuest) -> str:
    return str(house.query("select state from instances_instance where uuid = ?", guest.uuid.hex)[0][0])


def test_addresses_are_known_by_lease_and_by_agent_and_go_with_the_guest(house: House) -> None:
    with linux_guest(f"{GUEST}-a", LEASE) as quiet, linux_guest(f"{GUEST}-b", LEASE + AGENT) as talking:
        [(lease, source)] = wait_for(lambda: addresses(house, quiet), BOOT_SECONDS).items()
        assert (source, lease in virsh("domifaddr", quiet.name, "--source", "lease")) == ("lease", True)
        wait_for(lambda: "agent" in addresses(house, talking).values(), BOOT_SECONDS)
        # Neither a loopback or link-local one, nor the bridge inside the guest.
        assert list(addresses(house, talking).items()) == [("10.99.0.7", "agent"), ("2001:db8::7", "agent")]
        virsh("suspend", talking.name)
        wait_for(lambda: state(house, talking) == "paused")
        assert "10.99.0.7" in addresses(house, talking)
    wait_for(lambda: not addresses(house, quiet) and not addresses(house, talking))
