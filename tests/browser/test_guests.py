"""What a person does with guests that are there: chosen together, and one by one."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from tests.guests import ipxe_guest
from tests.virsh import guests as host_guests
from tests.virsh import virsh

Shot = Callable[[Page, str], None]


@pytest.fixture
def guests() -> Iterator[list[str]]:
    """The names of three small guests that are off, in their order."""
    with ExitStack() as stack:
        yield sorted(stack.enter_context(ipxe_guest("t-guests"))[1] for _ in range(3))


def test_what_failed_says_whose_it_was(page: Page, guests: list[str]) -> None:
    guest = guests[0]
    virsh("attach-disk", guest, "/var/tmp/t-gone.raw", "vdb", "--config")
    page.goto(f"/instances/?q={guest}")
    page.get_by_role("link", name=guest).first.click()
    page.get_by_role("button", name="Start", exact=True).first.click()
    toast = page.locator(".toastx")
    expect(toast).to_contain_text(f"Start {guest}: The operation failed", timeout=20_000)
    expect(toast).to_contain_text("not on the host any more")


def test_several_guests_are_started_and_deleted_together(page: Page, guests: list[str], shot: Shot) -> None:
    page.goto("/instances/?q=t-guests-")
    first, second, third = guests
    bar = page.get_by_label("Selected guests")
    expect(bar).to_contain_text("Select guests to act on several at once")
    virsh("start", second)
    expect(page.get_by_role("row").filter(has_text=second)).to_contain_text("Running")

    # By keyboard: Space takes one, Shift with it all from there.
    page.get_by_label(f"Select {first}").focus()
    page.keyboard.press("Space")
    page.get_by_label(f"Select {third}").focus()
    page.keyboard.press("Shift+Space")
    expect(bar).to_contain_text("3 selected")
    shot(page, "guests-selected")

    bar.get_by_role("button", name="Start").click()
    toast = page.locator(".toastx")
    expect(toast).to_contain_text("Start: 2 of 3 done", timeout=20_000)
    expect(toast).to_contain_text(f"{second} is in the state “Running”")
    for guest in guests:
        assert virsh("domstate", guest) == "running"
    expect(bar.get_by_role("button", name="Start")).to_be_disabled()
    expect(bar).to_contain_text("3 selected")

    # The one left out stays; the dialog says whom it takes, and wants their number.
    page.get_by_label(f"Select {third}").click()
    bar.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 2 guests?")
    expect(dialog).to_contain_text(first)
    expect(dialog).not_to_contain_text(third)
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("Type 2").fill("2")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(".toastx").filter(has_text="Delete: 2 of 2 done")).to_be_visible(timeout=20_000)
    expect(page.locator("tbody[data-live=instance] tr")).to_have_count(1)
    assert host_guests("t-guests-") == {third}


def test_a_guest_is_saved_and_goes_on_or_is_forgotten(page: Page, guests: list[str], shot: Shot) -> None:
    guest = guests[0]
    virsh("start", guest)
    page.goto(f"/instances/?q={guest}")
    page.get_by_role("link", name=guest).click()
    state = page.locator("#head")
    page.get_by_role("button", name="Other power actions").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toastx")).to_contain_text(f"{guest} is saved and off", timeout=20_000)
    expect(state).to_contain_text("Shut off")
    expect(state).to_contain_text("saved")
    expect(page.locator("#now")).to_contain_text("Start lets it go on from there")
    shot(page, "guest-saved")

    page.get_by_role("button", name="Other power actions").click()
    expect(page.get_by_role("button", name="Start from CD")).to_have_count(0)
    page.get_by_role("button", name="Discard saved memory").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("as if its plug had been pulled")
    dialog.get_by_role("button", name="Discard").click()
    expect(state).not_to_contain_text("saved", timeout=20_000)

    page.get_by_role("button", name="Other power actions").click()
    page.get_by_role("button", name="Start from CD").click()
    expect(state).to_contain_text("Running", timeout=20_000)
    assert "<boot order='1'/>" in virsh("dumpxml", guest)


def test_what_is_said_about_a_guest_is_changed_on_its_page_and_found_in_the_list(
    page: Page, guests: list[str], shot: Shot
) -> None:
    guest, other, _third = guests
    page.goto(f"/instances/?q={guest}")
    page.get_by_role("link", name=guest).click()
    page.get_by_role("link", name="Edit title, notes and tags").click()
    about = page.locator("#about")
    about.get_by_label("Title").fill("The shop")
    about.get_by_label("Tags").fill(f"prod, {guest}-tag")
    about.get_by_label("Notes").fill("Mind it.\nAlways.")
    shot(page, "guest-edit")
    about.get_by_role("button", name="Keep").click()
    expect(about).to_contain_text("Mind it.", timeout=20_000)
    assert virsh("desc", guest, "--title") == "The shop"

    # What another tool says shows by itself.
    virsh("desc", guest, "--title", "--new-desc", "The market")
    expect(about).to_contain_text("The market", timeout=20_000)
    shot(page, "guest-about")

    about.get_by_role("link", name=f"{guest}-tag").click()
    rows = page.locator("tbody[data-live=instance] tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("The market")
    page.get_by_role("searchbox").fill("market")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile("tag=.*q=market"))
    expect(rows).to_have_count(1)
    expect(page.get_by_role("link", name=other)).to_have_count(0)
    shot(page, "guests-by-tag")


def test_a_guest_is_made_of_a_disk_that_is_there(page: Page, shot: Shot) -> None:
    name = f"t-guests-{secrets.token_hex(3)}"
    virsh("vol-create-as", "default", f"{name}-old.qcow2", "8M", "--format", "qcow2")
    try:
        page.goto("/storage/")
        page.get_by_role("main").get_by_role("link", name=re.compile("default")).first.click()
        expect(page.locator("#volumes")).to_contain_text(f"{name}-old.qcow2", timeout=30_000)
        page.goto("/instances/create/")
        page.get_by_text("Existing disk").click()
        disk = page.get_by_label("Disk", exact=True)
        option = disk.locator("option").filter(has_text=f"{name}-old.qcow2")
        disk.select_option(option.get_attribute("value"))
        page.get_by_label("Name", exact=True).fill(name)
        summary = page.get_by_label("Summary")
        expect(summary.locator("[data-sum=disks]")).to_have_text(f"{name}-old.qcow2")
        page.get_by_label("Start it and open the console").uncheck()
        shot(page, "create-existing")
        page.get_by_role("button", name=f"Create {name}").click()
        expect(page.get_by_role("main")).to_contain_text("Succeeded", timeout=20_000)
        assert f"{name}-old.qcow2" in virsh("domblklist", name)
        assert f"{name}.qcow2" not in virsh("vol-list", "default")
    finally:
        virsh("undefine", name)
        virsh("vol-delete", f"{name}-old.qcow2", "--pool", "default")


LONG = "t-guests-customer-acme-production-database-replica-in-the-second-data-centre"


@pytest.fixture
def long_named() -> Iterator[str]:
    """A guest that is off, whose name is longer than a column is wide; so is its title."""
    with ipxe_guest(LONG) as (_uuid, name):
        virsh("desc", name, "--title", "--config", "What this one is for, said at length, and by whom it is used")
        yield name


@pytest.mark.parametrize("width", [1600, 1360, 1280, 1024, 800, 360])
def test_a_long_name_pushes_nothing_out_of_the_window(page: Page, long_named: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/instances/?q={long_named}")
    row = page.locator(f"tr:has-text('{long_named}')")
    for name in ("Start", "More actions"):
        expect(row.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    for address in ("/instances/", "/tasks/", "/"):
        page.goto(address)
        assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0, address


def test_a_guest_is_started_and_shut_down_in_the_list_on_a_phone(page: Page, guests: list[str]) -> None:
    """There is room for one button, which is the console where a guest runs; what else can be done is in the menu."""
    first = guests[0]
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"/instances/?q={first}")
    row = page.locator(f"tr:has-text('{first}')")
    row.get_by_role("button", name="Start", exact=True).click()
    expect(row).to_contain_text("Running", timeout=20_000)
    expect(row.get_by_role("button", name="Shut down")).to_have_count(0)
    row.get_by_role("button", name="More actions").click()
    expect(row.get_by_role("button", name="Shut down")).to_be_visible()
