"""The console's page with a real guest: what it waits for, and that it comes back by itself."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.guests import ipxe_guest
from tests.stack import Stack
from tests.virsh import virsh
from tests.waiting import wait_for

PICTURE = 15_000  # ms


@pytest.fixture(scope="module")
def name() -> Iterator[str]:
    with ipxe_guest("t-console") as (_, name):
        yield name


@pytest.fixture
def console(page: Page, name: str) -> Page:
    """The page with the guest's picture."""
    if virsh("domstate", name) != "running":
        virsh("start", name)

    def found() -> list[dict[str, str]]:
        seen = page.request.get("/api/v1/instances/", params={"search": name}).json()["results"]
        return [guest for guest in seen if guest["state"] == "running"]

    page.goto(f"/instances/{wait_for(found)[0]['id']}/console/")
    has_picture(page)
    return page


def has_picture(page: Page) -> None:
    expect(page.locator("#screen canvas")).to_be_visible(timeout=PICTURE)
    expect(page.locator("#cover")).to_be_hidden(timeout=PICTURE)


def picture(page: Page) -> str:
    return str(page.locator("#screen canvas").evaluate("canvas => canvas.toDataURL()"))


def bar_is_away(page: Page) -> bool:
    return "away" in (page.locator(".cbar").get_attribute("class") or "")


def test_the_picture_fills_the_window_and_the_bar_goes_by_itself(console: Page) -> None:
    size = console.locator("#screen canvas").bounding_box()
    assert size and max(size["width"] / 1360, size["height"] / 900) == pytest.approx(1, abs=0.01)
    wait_for(lambda: bar_is_away(console) or console.wait_for_timeout(50))
    console.mouse.move(600, 10)
    wait_for(lambda: not bar_is_away(console) or console.wait_for_timeout(50))


def test_keys_go_to_the_guest_and_the_keyboard_gets_out_again(console: Page) -> None:
    before = picture(console)
    console.keyboard.press("Control+B")  # iPXE: its command line
    console.keyboard.type("help\n", delay=50)
    wait_for(lambda: picture(console) != before)
    console.keyboard.press("Control+Alt+Home")
    expect(console.locator(".cbar a").first).to_be_focused()
    console.keyboard.press("ArrowRight")
    expect(console.get_by_role("button", name="Ctrl-Alt-Del")).to_be_focused()
    console.keyboard.press("Escape")
    expect(console.locator("#screen canvas")).to_be_focused()


def test_a_guest_that_went_off_is_said_so_and_comes_back_by_its_button(console: Page, name: str) -> None:
    virsh("destroy", name)
    expect(console.locator("#cover")).to_contain_text("shut off")
    console.locator("#cover").get_by_role("button", name="Start").click()
    has_picture(console)
    expect(console.locator("#told")).to_contain_text("Connected again")
    assert virsh("domstate", name) == "running"


def test_a_guest_that_virsh_starts_comes_back_by_itself(console: Page, name: str) -> None:
    virsh("destroy", name)
    expect(console.locator("#cover")).to_contain_text("shut off")
    virsh("start", name)
    has_picture(console)


def test_a_lost_connection_comes_back_by_itself(console: Page, stack: Stack) -> None:
    master = int((stack.data / "run" / "console.pgid").read_text().split()[0])
    for child in Path(f"/proc/{master}/task/{master}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    expect(console.locator("#told")).to_contain_text("The network was away", timeout=PICTURE)
    has_picture(console)


def test_the_screenshot_is_a_png_named_after_the_guest(console: Page, name: str) -> None:
    console.mouse.move(600, 10)
    with console.expect_download() as download:
        console.get_by_role("button", name="Screenshot").click()
    assert re.fullmatch(rf"{name}-[\d-]+T[\d-]+\.png", download.value.suggested_filename)
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_text_that_cannot_be_typed_is_refused_before_a_key_is_sent(console: Page) -> None:
    console.mouse.move(600, 10)
    console.get_by_role("button", name="Paste").click()
    console.get_by_role("textbox", name="Text").fill("naïve 中")
    console.get_by_role("button", name="Type it").click()
    expect(console.locator("#paste-problem")).to_have_text("This cannot be typed: ï 中")
