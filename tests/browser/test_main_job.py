"""The main job, as an administrator does it: bring an ISO, make a guest, install it by its screen, remove it."""

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.isos import sha256_of
from tests.stack import HOME, Stack
from tests.virsh import virsh
from tests.waiting import wait_for

RUN = secrets.token_hex(3)
GUEST = f"t-browser-{RUN}"
IMAGE = f"t-browser-{RUN}.iso"
IMAGES = Path("/var/lib/libvirt/images")
SCREEN_SECONDS = 120.0


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """What a broken run leaves is removed."""
    yield
    virsh("destroy", GUEST)
    virsh("undefine", GUEST)
    for name in (IMAGE, f"{GUEST}.qcow2"):
        virsh("vol-delete", name, "--pool", "default")


def colours(canvas: Locator) -> dict[str, int]:
    """How many of the display's pixels, sampled on a grid, have each colour."""
    found: dict[str, int] = canvas.evaluate(
        """canvas => {
            const {data, width, height} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const counts = {};
            for (let y = 0; y < height; y += 4) for (let x = 0; x < width; x += 4) {
                const at = 4 * (y * width + x);
                const name = [data[at], data[at + 1], data[at + 2]].join(",");
                counts[name] = (counts[name] || 0) + 1;
            }
            return counts;
        }"""
    )
    return found


def shows_a_dialog(canvas: Locator) -> bool:
    """Whether the installer's dialog is there: a grey box on blue, and the red of what is chosen."""
    found = colours(canvas)
    total = sum(found.values())
    blue = sum(count for name, count in found.items() if is_blue(name))
    return blue > total / 10 and len(found) >= 4


def is_blue(name: str) -> bool:
    red, green, blue = (int(part) for part in name.split(","))
    return blue > 120 and red < 60 and green < 60


def test_an_administrator_installs_a_guest_and_removes_it(
    page: Page, stack: Stack, installer_iso: Path, shot: Callable[[Page, str], None], tmp_path: Path
) -> None:
    image = tmp_path / IMAGE
    image.write_bytes(installer_iso.read_bytes())

    # Bring the ISO: the pool's page takes the file, shows its progress, and then the volume.
    page.goto("/storage/")
    page.get_by_role("main").get_by_role("link", name=re.compile("default")).first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("link", name="Upload").click()
    chooser.value.set_files(image)
    volume = page.locator("#volumes tr").filter(has_text=IMAGE)
    expect(volume).to_contain_text("iso", timeout=60_000)
    shot(page, "pool")
    assert IMAGE in virsh("vol-list", "default")
    assert sha256_of(IMAGES / IMAGE) == sha256_of(image)

    # Make the guest: a name and one choice.
    page.goto("/instances/create/")
    page.get_by_label("Name", exact=True).fill(GUEST)
    images = page.get_by_label("Image", exact=True)
    images.select_option(images.locator("option", has_text=IMAGE).get_attribute("value"))
    shot(page, "create")
    page.get_by_role("button", name=f"Create {GUEST}").click()
    page.wait_for_url(re.compile(r"/instances/\d+/console/"), timeout=60_000)
    assert virsh("domstate", GUEST) == "running"
    number = re.search(r"/instances/(\d+)/", page.url).group(1)

    # Its screen: the installer's dialog; Tab and Enter change it.
    canvas = page.locator("#screen canvas")
    expect(canvas).to_be_visible(timeout=30_000)
    wait_for(lambda: shows_a_dialog(canvas), SCREEN_SECONDS)
    page.mouse.move(700, 20)  # the bar comes into view
    expect(page.get_by_role("button", name="Ctrl-Alt-Del")).to_be_visible()
    shot(page, "console")
    page.screenshot(path=HOME / "docs" / "console.png")
    before = colours(canvas)
    page.keyboard.press("Tab")
    wait_for(lambda: colours(canvas) != before, 20)
    before = colours(canvas)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for(lambda: shows_a_dialog(canvas) and colours(canvas) != before, 60)
    shot(page, "console-after-keys")

    # The page of the guest, and its end.
    page.goto(f"/instances/{number}/")
    expect(page.get_by_role("heading", name=GUEST)).to_be_visible()
    shot(page, "instance")
    page.get_by_role("button", name="Shut down").locator(
        "xpath=following-sibling::button | ..//button[2]"
    ).first.click()
    page.get_by_role("button", name="Force off").click()
    expect(page.locator("main")).to_contain_text("Shut off", timeout=20_000)
    assert virsh("domstate", GUEST) == "shut off"

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile(f"{GUEST}.qcow2")).check()
    dialog.get_by_role("textbox").fill(GUEST)
    shot(page, "delete")
    dialog.get_by_role("button", name=re.compile("Delete")).click()
    wait_for(lambda: "failed to get domain" in virsh("domstate", GUEST), 30)
    wait_for(lambda: not (IMAGES / f"{GUEST}.qcow2").exists(), 10)
    assert IMAGE in virsh("vol-list", "default")
    page.wait_for_url("**/instances/")  # where its dialog leads
    expect(page.locator("main")).not_to_contain_text(GUEST)
