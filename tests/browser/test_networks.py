"""A network by the page: proposed, drawn, made, seen from outside, stopped and removed."""

import re
import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.guests import URI, ipxe_guest
from tests.virsh import virsh
from tests.waiting import wait_for
from virt import networks
from virt.access import Access
from virt.connection import open_connection
from virt.xml.network import DhcpRange, Ip
from virt.xml.network import Network as NetworkXml

# What has to be pushed aside to be read whole.
SIDEWAYS = """() => [...document.querySelectorAll(".scroll-x")].filter(one => one.scrollWidth > one.clientWidth)
    .map(one => one.innerText)"""


@pytest.fixture
def name() -> Iterator[str]:
    name = f"t-net-{secrets.token_hex(4)}"
    yield name
    virsh("net-destroy", name)
    virsh("net-undefine", name)


def test_who_is_on_a_network_and_has_which_address_is_shown_by_itself(
    page: Page, name: str, shot: Callable[[Page, str], None]
) -> None:
    with open_connection(Access(URI)) as connection:
        ip = Ip(address="192.168.246.1", prefix=24, ranges=[DhcpRange(start="192.168.246.9", end="192.168.246.9")])
        networks.define_network(connection, NetworkXml(name=name, stp=True, ips=[ip]), autostart=False, start=True)
    page.goto("/networks/")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_text("No guest is attached")).to_be_visible()
    expect(page.get_by_text("No address is given out")).to_be_visible()
    with ipxe_guest("t-net", name) as (_uuid, guest):
        cards = page.get_by_role("region", name="Guests on it").get_by_role("row", name=guest)
        expect(cards).to_contain_text("not plugged in", timeout=15_000)
        virsh("start", guest)
        lease = page.get_by_role("region", name="Leases").get_by_role("row", name="192.168.246.9")
        expect(lease.get_by_role("link", name=guest)).to_be_visible(timeout=60_000)
        expect(cards).to_contain_text("192.168.246.9")
        shot(page, "network-leases")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate(SIDEWAYS) == []
        shot(page, "network-leases-narrow")
        page.set_viewport_size({"width": 1360, "height": 900})
        dialog = page.get_by_role("dialog")
        page.get_by_role("button", name="Stop").click()
        expect(dialog).to_contain_text("This running guest loses it at once")
        expect(dialog.get_by_role("link", name=guest)).to_be_visible()
        dialog.get_by_role("link", name="Keep it running").or_(
            dialog.get_by_role("button", name="Keep it running")
        ).click()
        page.get_by_role("button", name="More actions").click()
        page.get_by_role("button", name="Remove").click()
        expect(dialog).to_contain_text(f"{name} is in use")
    expect(page.get_by_text("No guest is attached")).to_be_visible(timeout=15_000)


def test_a_network_is_drawn_made_stopped_and_removed(page: Page, name: str, shot: Callable[[Page, str], None]) -> None:
    page.goto("/networks/")
    page.get_by_role("button", name="New network").click()
    expect(page.get_by_label("IPv4 range")).to_have_value(re.compile(r"^(192\.168|10)\.\d+\.\d+(\.0)?/24$"))
    drawing = page.get_by_role("region", name="What it will be")
    page.get_by_label("Isolated").check()
    expect(drawing).to_contain_text("Isolated: nothing leads out of this host")
    page.get_by_label("Bridged").check()
    expect(page.get_by_label("IPv4 range")).to_be_hidden()
    page.get_by_label("NAT").check()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("IPv4 range").fill("192.168.122.0/24")
    expect(drawing).to_contain_text("get 192.168.122.2 – 192.168.122.254")
    page.get_by_role("button", name="Make network").click()
    expect(page.get_by_text("is taken by the network default")).to_be_visible()
    page.get_by_label("IPv4 range").fill("192.168.247.0/24")
    page.get_by_label("Domain, if any").fill("lab.example")
    expect(drawing).to_contain_text("192.168.247.1/24")
    shot(page, "network-new")
    page.get_by_role("button", name="Make network").click()
    expect(page.locator("main")).to_contain_text("Succeeded", timeout=30_000)

    page.goto(f"/networks/?q={name}")
    page.get_by_role("link", name=name).click()
    ties = page.get_by_role("region", name="Connections")
    expect(ties).to_contain_text("DHCP 192.168.247.2 – 192.168.247.254")
    expect(ties).to_contain_text("lab.example")
    assert "lab.example" in virsh("net-dumpxml", name)
    shot(page, "network")

    page.get_by_role("button", name="Stop").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("No running guest that you may see is on it.")
    dialog.get_by_role("button", name="Stop", exact=True).click()
    expect(ties).to_contain_text("Inactive", timeout=15_000)
    virsh("net-start", name)  # as somebody on the host would
    expect(ties).to_contain_text("Active", timeout=15_000)

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Remove").click()
    expect(dialog.get_by_role("button", name="Remove")).to_be_disabled()
    dialog.get_by_label(f"Type {name} to confirm").fill(name)
    dialog.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/networks/")
    expect(page.locator("main tbody")).not_to_contain_text(name, timeout=15_000)
    wait_for(lambda: name not in virsh("net-list", "--all", "--name").split())
