"""The main job on other machines, reached by ssh, TCP and TLS: an ISO brought there, a guest, and its screen."""

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.far import added, pool_of
from tests.isos import IPXE
from tests.lab.host import Host
from tests.lab.ssh_host import SshHost
from tests.stack import Stack
from tests.waiting import wait_for

FOLDER = "/var/lib/libvirt/images"


@pytest.fixture
def far(stack: Stack, ssh_host: SshHost) -> Iterator[dict[str, Any]]:
    with added(stack, ssh_host) as host:
        yield host


def colours(canvas: Locator) -> int:
    """How many colours the display's pixels have, sampled on a grid."""
    found: int = canvas.evaluate(
        """canvas => {
            const {data, width, height} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Set();
            for (let y = 0; y < height; y += 2) for (let x = 0; x < width; x += 2) {
                const at = 4 * (y * width + x);
                seen.add([data[at], data[at + 1], data[at + 2]].join(","));
            }
            return seen.size;
        }"""
    )
    return found


@pytest.mark.parametrize("which", ["ssh_host", "tcp_host", "tls_host"])
def test_a_guest_is_made_and_seen_on_another_machine(
    page: Page,
    stack: Stack,
    which: str,
    request: pytest.FixtureRequest,
    shot: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    machine: Host = request.getfixturevalue(which)
    with added(stack, machine) as far:
        the_main_job(page, stack, far, machine, tmp_path)
        shot(page, f"far-{which.removesuffix('_host')}")


def the_main_job(page: Page, stack: Stack, far: dict[str, Any], machine: Host, folder: Path) -> None:
    """Bring an ISO there, make a guest of it, see its screen, type into it, and see its picture on its page."""
    run = secrets.token_hex(3)
    guest, image = f"t-far-{run}", folder / f"t-far-{run}.iso"
    image.write_bytes(IPXE.read_bytes())
    pool = pool_of(stack, far, FOLDER)

    page.goto(f"/storage/{pool['id']}/")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("link", name="Upload").click()
    chooser.value.set_files(image)
    expect(page.locator("#volumes tr").filter(has_text=image.name)).to_contain_text("iso", timeout=60_000)

    page.goto(f"/instances/create/?host={far['id']}")
    page.get_by_label("Name", exact=True).fill(guest)
    images = page.get_by_label("Image", exact=True)
    images.select_option(images.locator("option", has_text=image.name).get_attribute("value"))
    page.get_by_role("button", name=f"Create {guest}").click()
    page.wait_for_url(re.compile(r"/instances/\d+/console/"), timeout=60_000)
    assert machine.virsh("domstate", guest) == "running"
    number = re.search(r"/instances/(\d+)/", page.url)

    canvas = page.locator("#screen canvas")
    expect(canvas).to_be_visible(timeout=30_000)
    wait_for(lambda: colours(canvas) > 2, 40)
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    page.keyboard.press("Control+B")
    page.keyboard.type("help\n", delay=50)
    wait_for(lambda: canvas.evaluate("canvas => canvas.toDataURL()") != before)

    assert number
    page.goto(f"/instances/{number.group(1)}/")
    expect(page.get_by_role("button", name="Console", exact=True)).to_be_visible()
    picture = page.locator("img[data-screen]")
    wait_for(lambda: picture.evaluate("image => image.complete && image.naturalWidth > 0") or page.wait_for_timeout(50))


def test_a_displays_password_is_asked_on_the_page(
    page: Page, stack: Stack, far: dict[str, Any], ssh_host: SshHost, shot: Callable[[Page, str], None]
) -> None:
    name = f"t-far-{secrets.token_hex(3)}"
    ssh_host.run("tee", "/tmp/t-far.xml", stdin=(
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>"
        f"<disk type='file' device='cdrom'><source file='{IPXE}'/><target dev='sda' bus='sata'/></disk>"
        "<graphics type='vnc' autoport='yes' listen='127.0.0.1' passwd='open up'/><video><model type='vga'/></video>"
        "</devices></domain>"
    ))  # fmt: skip
    ssh_host.virsh("define", "/tmp/t-far.xml")
    ssh_host.virsh("start", name)

    def seen() -> list[dict[str, Any]]:
        found = page.request.get("/api/v1/instances/", params={"search": name}).json()["results"]
        return [one for one in found if one["state"] == "running"]

    page.goto(f"/instances/{wait_for(seen)[0]['id']}/console/")
    field = page.get_by_label("Password")
    expect(field).to_be_focused(timeout=20_000)
    shot(page, "console-password")
    field.fill("wrong")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("That was not the display's password.")).to_be_visible(timeout=20_000)
    field.fill("open up")
    field.press("Enter")
    expect(page.locator("#cover")).to_be_hidden(timeout=20_000)
    wait_for(lambda: colours(page.locator("#screen canvas")) > 1, 20)
