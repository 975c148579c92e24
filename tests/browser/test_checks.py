"""A host's checklist in the browser: what is wrong is shown as it is found, with what mends it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hosts.checks import KIND
from tests.browser.test_every_page import AXE, faults
from tests.lab.tcp_host import TcpHost
from tests.program import Program
from tests.stack import Stack

FORGET = "from hosts.models import Host; Host.objects.filter(name__startswith='t-').delete()"
SHOTS = Path(__file__).parent / "shots"
SOON = 20_000  # ms: every worker may be busy, and a check takes its time


@pytest.fixture
def host(stack: Stack, tcp_host: TcpHost) -> Iterator[int]:
    """The number of a host of the lab that wants a password, which Webvirt has not been told."""
    uri = tcp_host.uri.replace("://", f"://{tcp_host.user}@")
    assert stack.manage("host", "add", "t-check", uri).returncode == 0
    yield Program.of(stack, "check").get("hosts/?search=t-check")["results"][0]["id"]
    assert stack.manage("shell", "-c", FORGET).returncode == 0


@pytest.fixture
def watched(browser: Browser, signed_in: BrowserContext, stack: Stack) -> Iterator[Page]:
    """A page of admin's that axe may be put into, which the policy would refuse."""
    context = browser.new_context(
        base_url=stack.url, storage_state=signed_in.storage_state(), bypass_csp=True, locale="en-GB", timezone_id="UTC"
    )
    context.add_init_script(script=AXE)
    yield context.new_page()
    context.close()


def test_a_host_is_checked_mended_and_checked_again(
    page: Page, watched: Page, host: int, tcp_host: TcpHost, stack: Stack, shot: Callable[[Page, str], None]
) -> None:
    page.goto(f"/hosts/{host}/check/")
    expect(page.get_by_text("Not looked at yet.")).to_be_visible()
    page.get_by_role("button", name="Check").click()
    failed = page.locator("#check-password")
    expect(failed).to_contain_text("a password is missing", timeout=SOON)
    expect(page.locator("#check-name")).to_contain_text(f"{tcp_host.address} is an address")
    expect(page.locator("#check-console")).to_contain_text("not tried")
    expect(page.get_by_role("status").filter(has_text="3 of 10 passed, 1 needs you")).to_be_visible()

    copy = failed.get_by_role("button", name="Copy")
    copy.click()
    expect(failed.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == "saslpasswd2 -a libvirt operator"
    failed.get_by_text("What libvirt said").click()
    expect(failed.get_by_text("authentication failed")).to_be_visible()
    shot(page, "host-check")
    watched.goto(f"/hosts/{host}/check/")
    assert faults(watched) == []
    watched.emulate_media(color_scheme="dark")
    watched.set_viewport_size({"width": 390, "height": 844})
    watched.screenshot(path=SHOTS / "host-check-narrow-dark.png", full_page=True)

    told = stack.manage("host", "check", "t-check")
    assert told.returncode == 1
    assert "a password is missing" in told.stdout

    tcp_host.set_auth("none")
    page.get_by_role("button", name="Check again").click()
    expect(failed).to_contain_text("nobody is asked for one", timeout=SOON)
    expect(page.locator("#check-versions")).to_contain_text("with QEMU", timeout=SOON)
    expect(page.get_by_role("button", name="Check again")).to_be_enabled(timeout=SOON)
    expect(page.locator("#check-console")).to_contain_text(f"listen on {tcp_host.address}")
    shot(page, "host-check-mended")
    assert stack.manage("host", "check", "t-check").returncode == 0


def test_the_shell_has_this_machine_checked_by_a_worker(stack: Stack) -> None:
    (local,) = Program.of(stack, "check-local").get("hosts/?state=up")["results"]
    told = stack.manage("host", "check", local["name"])
    assert told.returncode == 0, told.stdout + told.stderr
    assert "through libvirt's own socket" in told.stdout
    (task,) = Program.of(stack, "check-tasks").get(f"tasks/?kind={KIND}&host={local['id']}")["results"]
    assert [line["state"] for line in task["result"]].count("failed") == 0
