"""A running guest's screen and figures, as the list and its page show them, live."""

import re
import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.linux import LEASE, LinuxGuest, linux_guest

BUSY = "while :; do :; done &\n"
NAME = f"t-figures-{secrets.token_hex(3)}"
BOOT_MS = 120_000
LIVE_MS = 30_000


@pytest.fixture(scope="module")
def guest() -> Iterator[LinuxGuest]:
    with linux_guest(NAME, BUSY + LEASE, screen=True) as guest:
        yield guest


def test_the_list_shows_its_address_its_load_and_its_screen(
    page: Page, guest: LinuxGuest, shot: Callable[[Page, str], None]
) -> None:
    page.goto(f"/instances/?q={NAME}")
    row = page.locator("tbody tr", has_text=NAME)
    expect(row).to_contain_text("Running")
    expect(row.locator("span[data-figure]")).to_have_text(re.compile(r"^[1-9]\d* %$"), timeout=LIVE_MS)
    # The line ends at the right edge: that is now.
    expect(row.locator("svg .l")).to_have_attribute("d", re.compile(r"(^|[ML])88\.0 [\d.]+(h0)?$"))
    expect(row.locator(".c-ip")).to_contain_text(re.compile(r"192\.168\.\d+\.\d+"), timeout=BOOT_MS)
    peek = page.get_by_role("tooltip")
    row.get_by_role("link", name=NAME).hover()
    picture = peek.get_by_role("img", name=f"The screen of {NAME}")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    expect(peek).to_contain_text("just now")
    shot(page, "peek")
    page.keyboard.press("Escape")
    expect(peek).to_be_hidden()


def test_the_screen_shows_for_the_keyboard_too(page: Page, guest: LinuxGuest) -> None:
    page.goto(f"/instances/?q={NAME}")
    page.get_by_role("checkbox", name=f"Select {NAME}").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip").get_by_role("img")).to_be_visible()
    expect(page.get_by_role("link", name=NAME, exact=True)).to_have_attribute("aria-describedby", "peek")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_its_page_draws_on_while_one_looks(page: Page, guest: LinuxGuest, shot: Callable[[Page, str], None]) -> None:
    page.goto(f"/instances/?q={NAME}")
    page.get_by_role("link", name=NAME, exact=True).click()
    now = page.get_by_role("region", name="Now")
    expect(now.locator("[data-screen-age]")).to_have_text("just now")
    cpu = now.locator("svg[data-figure$=cpu_percent]")
    expect(cpu.locator(".l")).to_have_attribute("d", re.compile(r"300\.0 "), timeout=LIVE_MS)
    before = cpu.get_attribute("data-came")
    expect(cpu).not_to_have_attribute("data-came", before or "", timeout=LIVE_MS)
    shot(page, "figures")
