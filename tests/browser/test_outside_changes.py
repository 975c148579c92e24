"""What somebody does with virsh shows in the open page; a host that falls silent is said to be silent."""

import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.program import Program
from tests.seen import seen_at, watch
from tests.stack import Stack
from tests.virsh import stopped_libvirtd, virsh

GUEST = f"t-outside-{secrets.token_hex(3)}"
GUEST_XML = f"""
<domain type='qemu'><name>{GUEST}</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
"""
LIFE = [
    ("start", "Running"),
    ("suspend", "Paused"),
    ("resume", "Running"),
    ("destroy", "Shut off"),
]
ROUNDS = 4


@pytest.fixture
def definition(tmp_path: Path) -> Iterator[str]:
    file = tmp_path / "guest.xml"
    file.write_text(GUEST_XML)
    yield str(file)
    virsh("destroy", GUEST)
    virsh("undefine", GUEST)


@pytest.fixture
def delays() -> Iterator[list[float]]:
    """How long after virsh's return each change was on the screen, in ms; printed for whoever reads with -s."""
    times: list[float] = []
    yield times
    if times:
        ordered = sorted(times)
        p95 = ordered[int(len(ordered) * 0.95) - 1]
        line = f"\n{len(times)} changes seen, median {ordered[len(ordered) // 2]:.0f} ms, p95 {p95:.0f} ms"
        os.write(1, line.encode())


def test_twenty_changes_by_virsh_show_in_the_open_page(page: Page, definition: str, delays: list[float]) -> None:
    page.goto(f"/instances/?q={GUEST}")
    expect(page.locator("main")).to_contain_text("No guest matches")
    watch(page, GUEST)

    def change(words: str, *arguments: str) -> None:
        virsh(*arguments)
        done = time.time() * 1000
        delays.append(max(0.0, seen_at(page, words) - done))

    for _ in range(ROUNDS):
        change("Shut off", "define", definition)
        for verb, words in LIFE:
            change(words, verb, GUEST)
        change("", "undefine", GUEST)
    assert len(delays) >= 20
    expect(page.locator("main")).to_contain_text("No guest matches")


def test_a_guest_that_is_renamed_has_its_new_name_all_over_its_page(page: Page, definition: str) -> None:
    virsh("define", definition)
    page.goto(f"/instances/?q={GUEST}")
    page.get_by_role("link", name=GUEST, exact=True).click()
    expect(page).to_have_title(f"{GUEST} · Webvirt")
    virsh("domrename", GUEST, f"{GUEST}-new")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{GUEST}-new")
    expect(page).to_have_title(f"{GUEST}-new · Webvirt")
    expect(page.get_by_role("navigation", name="Breadcrumbs")).to_contain_text(f"{GUEST}-new")
    virsh("domrename", f"{GUEST}-new", GUEST)


def test_a_silent_host_is_said_to_be_silent_and_true_again_after(
    page: Page, stack: Stack, definition: str, shot: Callable[[Page, str], None]
) -> None:
    program = Program.of(stack, "silence")
    virsh("define", definition)
    virsh("start", GUEST)
    page.goto(f"/instances/?q={GUEST}")
    row = page.locator("tbody tr", has_text=GUEST)
    expect(row).to_contain_text("Running")
    number = row.get_attribute("id").removeprefix("instance-")
    with stopped_libvirtd():
        expect(row).to_contain_text(re.compile(r"Running, not heard since \d\d:\d\d"), timeout=25_000)
        shot(page, "silent-list")
        for path in ("/", "/instances/", f"/instances/{number}/", "/hosts/", "/storage/", "/networks/", "/tasks/"):
            assert page.goto(path).status == 200
        page.goto("/")
        expect(page.locator("main")).to_contain_text("cannot be reached")
        shot(page, "silent-overview")
        refused = program.send("POST", f"instances/{number}/suspend")
        assert (refused.status, refused.headers["content-type"]) == (503, "application/problem+json")
        page.goto(f"/instances/?q={GUEST}")
    virsh("destroy", GUEST)
    expect(row).to_contain_text("Shut off", timeout=25_000)
    expect(row).not_to_contain_text("not heard")
