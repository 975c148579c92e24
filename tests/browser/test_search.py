"""Search by the keyboard alone: it finds, it goes there, it does what it is told, and it answers at once."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.guests import ipxe_guest
from tests.virsh import virsh

MOST_MS = 100  # from the key to the toast
# Without a pause between two letters, however busy the machine is.
TYPE = """(field, word) => {
    for (const letter of word) {
        field.value += letter;
        field.dispatchEvent(new InputEvent("input", {bubbles: true, data: letter}));
    }
}"""


@pytest.fixture
def guest() -> Iterator[str]:
    with ipxe_guest("t-search") as (_uuid, name):
        yield name


def choices(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Found").get_by_role("option")


def watch_toasts(page: Page) -> None:
    """Note how long after the last key a toast was there, and its first words: they change when its task ends."""
    page.evaluate(
        """() => {
            let pressed;
            addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
            const toasts = document.getElementById("toasts");
            new MutationObserver(() => {
                window.toastMs ??= performance.now() - pressed;
                window.toastWords ??= toasts.textContent;
            }).observe(toasts, {childList: true});
        }"""
    )


def test_a_guest_is_found_started_and_opened_by_the_keyboard(
    page: Page, guest: str, shot: Callable[[Page, str], None]
) -> None:
    page.goto(f"/instances/?q={guest}")
    expect(page.get_by_role("link", name=guest)).to_be_visible(timeout=20_000)
    watch_toasts(page)

    page.keyboard.press("Control+k")
    expect(choices(page).filter(has_text="Overview")).to_be_visible()
    page.keyboard.type(f"start {guest[:-2]}")
    expect(choices(page).first).to_contain_text(f"Start {guest}")
    expect(choices(page).first).to_have_attribute("aria-selected", "true")
    shot(page, "search")
    page.keyboard.press("Enter")
    toast = page.locator("#toasts")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(toast).to_contain_text(f"{guest} is running", timeout=30_000)
    assert f"Starting {guest}…" in page.evaluate("window.toastWords")
    assert page.evaluate("window.toastMs") < MOST_MS
    assert virsh("domstate", guest) == "running"

    # What was chosen lately is offered first, as long as it can be done.
    page.keyboard.press("Control+k")
    expect(choices(page).filter(has_text="Overview")).to_be_visible()
    page.keyboard.type(guest)
    expect(choices(page).first).to_contain_text(guest)
    page.keyboard.press("Enter")
    page.wait_for_url("**/instances/*/")
    page.keyboard.press("Control+k")
    expect(choices(page).first).to_contain_text(guest)


def test_arrows_choose_and_escape_goes_back(page: Page) -> None:
    page.goto("/storage/")
    page.get_by_role("button", name="Search").focus()
    page.keyboard.press("Enter")
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(choices(page).nth(1)).to_be_visible()
    page.keyboard.press("ArrowDown")
    chosen = choices(page).nth(1)
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", chosen.get_attribute("id"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(choices(page).last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(page.get_by_role("button", name="Search")).to_be_focused()


def test_a_pause_in_typing_is_one_request_and_enter_need_not_wait(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/search/" in request.url else None)
    page.goto("/hosts/")
    with page.expect_request("**/search/**"):
        page.keyboard.press("Control+k")
    page.get_by_role("combobox").evaluate(TYPE, "networks")
    page.keyboard.press("Enter")
    page.wait_for_url("**/networks/")
    assert [url for url in asked if "q=" in url] == [next(url for url in asked if url.endswith("q=networks"))]
