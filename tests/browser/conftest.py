"""Chromium against the running stack, as a person would use it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.isos import make_installer
from tests.stack import Stack

SHOTS = Path(__file__).parent / "shots"
# ms; Playwright's own 5 s are short for a machine that serves, browses and emulates at once.
expect.set_options(timeout=20_000)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """A context in which admin has signed in through the login page."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1360, "height": 900}, locale="en-GB", timezone_id="UTC"
    )
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(stack.url)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A page of admin's, on which every error of a script and every breach of the policy fails the test."""
    opened = signed_in.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    yield opened
    opened.close()
    assert wrong == []


@pytest.fixture(scope="session")
def installer_iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_installer(tmp_path_factory.mktemp("iso"))


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keep a picture of the page for a person to look at."""
    SHOTS.mkdir(exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=SHOTS / f"{name}.png")

    return take
