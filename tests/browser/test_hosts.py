"""Hosts as people meet them: of another driver, in maintenance, removed, and dark."""

import re
import secrets
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.guests import ipxe_guest
from tests.lab.tcp_host import TcpHost
from tests.program import Program
from tests.seen import seen_at, watch
from tests.stack import Stack
from tests.virsh import virsh
from tests.waiting import wait_for

GUEST = """
<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
"""


@pytest.fixture
def program(stack: Stack) -> Program:
    return Program.of(stack, f"hosts-{secrets.token_hex(3)}")


Add = Callable[[str], tuple[int, str]]


@pytest.fixture
def add(stack: Stack, program: Program) -> Iterator[Add]:
    """Adds a host, waits until it is up, and gives its number and name; it is removed at the end."""
    made: list[int] = []

    def added(uri: str) -> tuple[int, str]:
        name = f"t-host-{secrets.token_hex(3)}"
        done = stack.manage("host", "add", name, uri)
        assert done.returncode == 0, done.stderr
        host = wait_for(lambda: program.get(f"hosts/?name={name}&state=up")["results"], 30)[0]
        made.append(host["id"])
        return host["id"], name

    yield added
    for number in made:
        assert program.send("DELETE", f"hosts/{number}/").status in (204, 404)


def test_a_host_of_another_driver_shows_what_it_has(page: Page, add: Add, program: Program) -> None:
    number, name = add("test:///default")
    for tab, words in (
        ("guests", "test"),
        ("pools", "default-pool"),
        ("networks", "default"),
        ("events", "Connected"),
        ("overview", "TEST"),
    ):
        assert page.goto(f"/hosts/{number}/?tab={tab}").status == 200
        expect(page.locator("main")).to_contain_text(words)
    expect(page.get_by_role("link", name=re.compile("Devices 3"))).to_be_visible(timeout=15_000)
    page.get_by_role("link", name=re.compile("Devices")).click()
    expect(page.locator("tbody tr")).to_have_count(3)
    for kind, path in (("instances", "instances"), ("pools", "storage"), ("networks", "networks")):
        found = wait_for(lambda kind=kind: program.get(f"{kind}/?host={number}")["results"])
        assert page.goto(f"/{path}/{found[0]['id']}/").status == 200
        expect(page.locator("main")).to_contain_text(name)
    # Guests are made for QEMU alone.
    page.goto("/instances/create/")
    expect(page.get_by_label("Host", exact=True).locator("option[disabled]")).to_contain_text(f"{name}, runs no QEMU")


def test_maintenance_and_removal_show_in_every_open_page(
    page: Page, add: Add, shot: Callable[[Page, str], None]
) -> None:
    number, name = add("test:///default")
    other = page.context.new_page()
    other.goto("/hosts/")
    row = other.locator("tbody tr", has_text=name)
    expect(row).to_contain_text("1/1")
    page.goto(f"/hosts/{number}/")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Notes").fill("In rack 7")
    page.get_by_label("In maintenance").check()
    shot(page, "host-edit")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#overview")).to_contain_text("In rack 7")
    expect(page.locator("#host")).to_contain_text("In maintenance")
    expect(row).to_contain_text("in maintenance")
    shot(other, "hosts")
    guest = page.context.new_page()
    guest.goto("/instances/?q=test")
    guest.locator("tbody tr", has_text=name).get_by_role("link", name="test", exact=True).click()
    page.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The host and its guests stay as they are")
    expect(dialog.get_by_role("button", name="Remove")).to_be_disabled()
    dialog.get_by_role("textbox").fill(name)
    dialog.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/hosts/")
    expect(page.locator("tbody")).not_to_contain_text(name)
    expect(row).to_have_count(0)
    expect(guest.locator("main")).to_contain_text("This is not there any more.")
    guest.close()
    other.close()


def test_a_dark_host_is_shown_as_last_known_and_holds_up_nothing(
    page: Page, add: Add, program: Program, tcp_host: TcpHost, shot: Callable[[Page, str], None]
) -> None:
    tcp_host.set_auth("none")
    far = f"t-far-{secrets.token_hex(3)}"
    tcp_host.run("virsh", "-q", "define", "/dev/stdin", stdin=GUEST.format(name=far))
    number, name = add(tcp_host.uri)
    guest = wait_for(lambda: program.get(f"instances/?search={far}")["results"], 30)[0]["id"]
    page.goto(f"/instances/?q={far}")
    row = page.locator("tbody tr", has_text=far)
    expect(row).to_contain_text("Shut off")
    tcp_host.go_dark()
    expect(row).to_contain_text(re.compile(r"Shut off, not heard since \d\d:\d\d"), timeout=30_000)
    expect(row.get_by_role("button")).to_have_count(0)
    began = time.monotonic()
    refused = program.send("POST", f"instances/{guest}/start")
    assert (refused.status, time.monotonic() - began < 1) == (503, True)
    assert name in refused.json["detail"]
    page.goto("/hosts/")
    expect(page.locator("tbody tr", has_text=name)).to_contain_text(re.compile(r"As last known: not heard since \d\d:"))
    shot(page, "hosts-dark")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto("/")
    expect(page.locator("#hosts tr", has_text=name)).to_contain_text("Not reachable")
    shot(page, "overview-dark")
    hosts = page.locator("#hosts .scroll-x")
    assert hosts.evaluate("table => table.scrollWidth - table.clientWidth") == 0, "the others' figures are in view"
    for tab in ("overview", "guests", "pools", "networks", "events"):
        page.goto(f"/hosts/{number}/?tab={tab}")
        expect(page.locator("main")).to_contain_text("as last known")
    expect(page.locator("#events")).to_contain_text("Connection lost")
    shot(page, "host-dark")
    with ipxe_guest("t-near") as (_uuid, near):
        page.goto(f"/instances/?q={near}")
        expect(page.locator("tbody tr", has_text=near)).to_contain_text("Shut off")
        watch(page, near)
        virsh("start", near)
        done = time.time() * 1000
        assert seen_at(page, "Running") - done < 1000
        virsh("destroy", near)
    tcp_host.come_back()
    page.goto(f"/instances/?q={far}")
    expect(row).not_to_contain_text("not heard", timeout=40_000)
