"""The main job without a mouse: an image is brought, and a guest is made of it, watched, forced off and deleted."""

import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.isos import IPXE
from tests.virsh import virsh, volumes
from tests.waiting import wait_for

GUEST = f"t-keys-{secrets.token_hex(3)}"
IMAGE = f"{GUEST}.iso"
MOST_TABS = 80
SHOWS_FOCUS = """node => {
    const {outlineStyle, boxShadow} = getComputedStyle(node);
    return outlineStyle !== "none" || boxShadow !== "none";
}"""


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    virsh("destroy", GUEST)
    virsh("undefine", GUEST)
    for name in (IMAGE, f"{GUEST}.qcow2"):
        virsh("vol-delete", name, "--pool", "default")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, which must show."""
    for _press in range(MOST_TABS):
        if wanted.count() and wanted.first.evaluate("node => node === document.activeElement"):
            assert wanted.first.evaluate(SHOWS_FOCUS), "nothing shows that it has the focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by Tab: {wanted}")


def told_to(page: Page, words: str, hit: str) -> None:
    """Say it to the search field."""
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    expect(page.get_by_role("option").first).to_contain_text(hit)
    page.keyboard.press("Enter")


def test_the_main_job_by_keys_alone(page: Page, tmp_path: Path) -> None:
    image = tmp_path / IMAGE
    shutil.copy(IPXE, image)
    page.on("filechooser", lambda chooser: chooser.set_files(image))
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()

    # Bring the image.
    told_to(page, "upload default", "Upload to default")
    page.wait_for_url(re.compile(r"/storage/\d+/upload/"))
    tab_to(page, page.locator("input[type=file]"))
    page.keyboard.press("Enter")
    create = page.get_by_role("row", name=IMAGE).get_by_role("link", name="Create an instance")
    expect(create).to_be_visible(timeout=60_000)

    # Make the guest of it: only its name is left to say.
    tab_to(page, create)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type(GUEST)
    tab_to(page, page.get_by_role("button", name=f"Create {GUEST}"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/instances/\d+/console/"), timeout=60_000)
    assert virsh("domstate", GUEST) == "running"
    assert IMAGE in virsh("domblklist", GUEST)

    # Out of its display and back to its page.
    expect(page.locator("#screen canvas")).to_be_focused(timeout=30_000)
    page.keyboard.press("Control+Alt+Home")
    expect(page.get_by_role("link", name=f"Back to {GUEST}")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/instances/\d+/$"))

    # Its end: a menu, and a dialog that Esc closes and a name opens.
    tab_to(page, page.get_by_role("button", name="Other power actions"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Force off"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("Shut off", timeout=20_000)
    more = page.get_by_role("button", name="More actions")
    for closing in ("Escape", "Enter"):
        tab_to(page, more)
        page.keyboard.press("Enter")
        tab_to(page, page.get_by_role("button", name="Delete", exact=True))
        page.keyboard.press("Enter")
        field = page.get_by_role("dialog").get_by_role("textbox")
        expect(field).to_be_focused()
        if closing == "Escape":
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(more).to_be_focused()
    page.keyboard.type(GUEST)
    page.keyboard.press("Enter")
    page.wait_for_url("**/instances/")
    wait_for(lambda: "failed to get domain" in virsh("domstate", GUEST), 30)
    wait_for(lambda: f"{GUEST}.qcow2" not in volumes(GUEST), 10)
    assert IMAGE in volumes(GUEST)
