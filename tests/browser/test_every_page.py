"""Every page, light and dark, wide and narrow: nothing that axe finds, and nothing that reaches out of the window."""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.guests import HERE, ipxe_guest
from tests.program import Program
from tests.stack import HOME, Stack
from tests.unit.test_urls_and_roles import PAGES, kind_of
from tests.virsh import virsh
from tests.waiting import wait_for
from virt import networks
from virt.connection import open_connection
from virt.xml.network import Network as NetworkXml

AXE = (HOME / "node_modules" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Tall, so that what sticks to the foot of the window covers nothing.
SIZES = ({"width": 1360, "height": 6000}, {"width": 360, "height": 8000})
RUN_AXE = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(found =>
    found.violations.flatMap(one => one.nodes.map(node => [one.id, node.target.join(" "), node.failureSummary]))
)"""
SPAN = "() => document.scrollingElement.scrollWidth - innerWidth"
WIDTHS = (768, 900, 1024, 1280)
# What scrolls by itself, or is not there for eyes, may be wider.
OUTSIDE = """() => [...document.querySelectorAll(".panel, .head")].flatMap(panel => {
    const edge = panel.getBoundingClientRect().right + 1
    const quiet = ".visually-hidden, .dropdown-menu, .scroll-x, pre, svg"
    return [...panel.querySelectorAll("*")].filter(one => !one.closest(quiet) && one.checkVisibility() &&
        one.getBoundingClientRect().right > edge).map(one => one.outerHTML.slice(0, 120))
})"""


@pytest.fixture(scope="module")
def guest() -> Iterator[str]:
    """A guest that runs, so that pages have figures, a screen, and everything that can be done."""
    with ipxe_guest("t-axe") as (_uuid, name):
        virsh("start", name)
        yield name


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A volume in a pool of its own."""
    folder = tmp_path_factory.mktemp("t-axe")
    name = f"t-axe-{secrets.token_hex(4)}"
    (folder / f"{name}.raw").write_bytes(bytes(1 << 20))
    virsh("pool-create-as", name, "dir", "--target", str(folder))
    yield f"{name}.raw"
    virsh("pool-destroy", name)


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """A network that is up, with two guests on it."""
    name = f"t-axe-{secrets.token_hex(4)}"
    with open_connection(HERE) as connection:
        networks.define_network(connection, NetworkXml(name=name), autostart=False, start=True)
    with ipxe_guest("t-axe-first", name), ipxe_guest("t-axe-second", name):
        yield name
    virsh("net-destroy", name)
    virsh("net-undefine", name)


@pytest.fixture(scope="module")
def ids(guest: str, volume: str, network: str, stack: Stack) -> dict[str, int]:
    """The number of one of each kind, by the first part of its page's address."""
    program = Program.of(stack, "axe")

    def first(path: str) -> int:
        # A volume that somebody made outside is seen within 15 s.
        return wait_for(lambda: program.get(path)["results"], 30)[0]["id"]

    return {
        "hosts": first("hosts/"),
        "instances": first(f"instances/?search={guest}"),
        "networks": first(f"networks/?search={network}"),
        "storage": first("pools/"),
        "tasks": first("tasks/"),
        "volumes": first(f"volumes/?search={volume}"),
    }


@pytest.fixture(scope="module")
def watched(browser: Browser, signed_in: BrowserContext, stack: Stack) -> Iterator[Page]:
    """A page of admin's that axe may be put into, which the policy would refuse."""
    context = browser.new_context(
        base_url=stack.url, storage_state=signed_in.storage_state(), bypass_csp=True, locale="en-GB", timezone_id="UTC"
    )
    context.add_init_script(script=AXE)
    yield context.new_page()
    context.close()


def faults(page: Page) -> list[Any]:
    """What is wrong with the page as it is, in both themes and both widths."""
    found: list[Any] = []
    for size in SIZES:
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found += [(size["width"], scheme, *fault) for fault in page.evaluate(RUN_AXE, RULES)]
        over = page.evaluate(SPAN)
        if over > 0:
            found.append((size["width"], f"{over} px wider than the window"))
    return found


def addresses() -> list[str]:
    tabs = [f"/hosts/<int:pk>/?tab={tab}" for tab in ("guests", "pools", "networks", "devices", "events")]
    return ["/" + route for route in PAGES if "<uuid" not in route] + tabs + ["/api/v1/docs/", "/nowhere/"]


@pytest.mark.parametrize("address", addresses())
def test_a_page_is_for_everybody(watched: Page, ids: dict[str, int], address: str) -> None:
    kind = kind_of(address.removeprefix("/"))
    answer = watched.goto(address.replace("<int:pk>", str(ids.get(kind, ""))))
    assert answer and answer.status == (404 if kind == "nowhere" else 200)
    expect(watched.locator("[data-live-first]")).to_have_count(0)  # what another room draws has come
    assert faults(watched) == []


@pytest.mark.parametrize("address", addresses())
def test_nothing_reaches_out_of_its_panel(watched: Page, ids: dict[str, int], address: str) -> None:
    watched.goto(address.replace("<int:pk>", str(ids.get(kind_of(address.removeprefix("/")), ""))))
    for width in WIDTHS:
        watched.set_viewport_size({"width": width, "height": 900})
        assert (width, watched.evaluate(OUTSIDE)) == (width, [])
        assert watched.evaluate(SPAN) <= 0, width


def test_the_side_bar_and_the_strip_stay_while_a_long_page_is_scrolled(watched: Page) -> None:
    watched.set_viewport_size({"width": 1360, "height": 400})
    watched.goto("/instances/create/")
    watched.evaluate("() => scrollTo(0, document.scrollingElement.scrollHeight)")
    assert watched.evaluate("() => scrollY") > 400
    expect(watched.get_by_role("link", name="Overview")).to_be_in_viewport()
    expect(watched.get_by_text("No running tasks")).to_be_in_viewport()


def test_what_is_done_with_chosen_guests_fits_a_narrow_window(watched: Page, guest: str) -> None:
    watched.set_viewport_size({"width": 360, "height": 800})
    watched.goto(f"/instances/?q={guest}")
    watched.get_by_label(f"Select {guest}").check()
    expect(watched.get_by_label("Selected guests").get_by_role("button", name="Start")).to_be_visible()
    assert watched.evaluate(SPAN) <= 0


def test_a_page_in_chinese_is_too(watched: Page, ids: dict[str, int], shot: Callable[[Page, str], None]) -> None:
    watched.goto("/instances/")
    watched.set_viewport_size({"width": 1360, "height": 900})
    watched.get_by_role("button", name="Language").click()
    watched.get_by_role("button", name="简体中文").click()
    try:
        expect(watched.get_by_role("heading", name="虚拟机")).to_be_visible()
        shot(watched, "instances-zh")
        for address in ("/", "/instances/", f"/instances/{ids['instances']}/", "/instances/create/", "/tasks/"):
            watched.goto(address)
            expect(watched.locator("html")).to_have_attribute("lang", "zh-hans")
            assert faults(watched) == []
    finally:
        watched.set_viewport_size({"width": 1360, "height": 900})
        watched.get_by_role("button", name="语言").click()
        watched.get_by_role("button", name="English").click()
        expect(watched.get_by_role("heading", name="Tasks")).to_be_visible()


def test_signing_in_is_for_everybody(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.url, bypass_csp=True, locale="en-GB")
    context.add_init_script(script=AXE)
    page = context.new_page()
    page.goto("/login/")
    assert faults(page) == []
    context.close()


def test_what_opens_over_a_page_is_for_everybody(watched: Page, ids: dict[str, int], guest: str) -> None:
    watched.goto(f"/instances/{ids['instances']}/")
    watched.set_viewport_size({"width": 1360, "height": 900})
    watched.keyboard.press("Control+k")
    watched.keyboard.type(guest)
    expect(watched.get_by_role("option").first).to_contain_text(guest)
    assert faults(watched) == []
    watched.keyboard.press("Escape")
    watched.set_viewport_size({"width": 1360, "height": 900})
    watched.get_by_role("button", name="More actions").click()
    assert faults(watched) == []
    watched.set_viewport_size({"width": 1360, "height": 900})
    watched.get_by_role("button", name="Delete", exact=True).click()
    expect(watched.get_by_role("dialog")).to_be_visible()
    assert faults(watched) == []


def test_the_drawer_of_a_narrow_window_is_for_everybody(watched: Page) -> None:
    watched.set_viewport_size({"width": 360, "height": 800})
    watched.emulate_media(color_scheme="light", reduced_motion="reduce")
    watched.goto("/hosts/")
    watched.get_by_role("button", name="Menu").click()
    expect(watched.get_by_role("link", name="Storage")).to_be_visible()
    assert watched.evaluate(RUN_AXE, RULES) == []
    watched.keyboard.press("Escape")
    expect(watched.get_by_role("button", name="Menu")).to_be_focused()


def test_what_is_chosen_is_seen_where_the_system_has_the_colours(watched: Page) -> None:
    """As in a contrast theme of Windows, which takes backgrounds and shadows away."""
    watched.set_viewport_size({"width": 1360, "height": 900})
    watched.emulate_media(forced_colors="active", color_scheme="light", reduced_motion="reduce")
    unchecked, not_here = "one => { one.checked = false; }", "one => one.removeAttribute('aria-current')"
    for address, chosen, changed in (
        ("/networks/create/", "main [type=checkbox]:checked", unchecked),
        ("/networks/create/", "main [type=radio]:checked", unchecked),
        ("/networks/create/", ".side nav a[aria-current]", not_here),
        ("/instances/create/", ".src:has(:checked)", "one => { one.querySelector('input').checked = false; }"),
    ):
        watched.goto(address)
        one = watched.query_selector(chosen)
        assert one
        seen = one.screenshot()
        one.evaluate(changed)
        assert one.screenshot() != seen, chosen
    watched.emulate_media(forced_colors="none")


@pytest.mark.parametrize("off", [-3600, 3600])
def test_what_was_just_now_is_that_by_the_servers_clock(
    browser: Browser, signed_in: BrowserContext, stack: Stack, off: int
) -> None:
    """Not by a browser's whose clock is an hour wrong. Its own: a clock is all pages' of a context."""
    context = browser.new_context(base_url=stack.url, storage_state=signed_in.storage_state())
    page = context.new_page()
    page.clock.install(time=time.time() + off)
    page.goto("/tasks/")
    asked = page.locator("main time").first
    before = datetime.now(UTC) - timedelta(seconds=80)
    asked.evaluate("(time, moment) => { time.dateTime = moment; }", before.isoformat())
    page.clock.run_for(6000)
    expect(asked).to_have_text("1 min ago")
    context.close()
