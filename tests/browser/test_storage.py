"""What a person does with pools and their volumes, and what the host then has."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.virsh import virsh

Shot = Callable[[Page, str], None]
SLOW = 20_000


@pytest.fixture
def name() -> Iterator[str]:
    """What the pool will be called; nothing of it outlives the test."""
    name = f"t-storage-{secrets.token_hex(4)}"
    yield name
    virsh("pool-destroy", name)
    virsh("pool-undefine", name)


def row(page: Page, volume: str) -> Locator:
    return page.locator("#volumes tr").filter(has=page.get_by_text(volume, exact=True))


def choose(page: Page, volume: str, action: str) -> None:
    row(page, volume).get_by_role("button", name=f"More actions for {volume}").click()
    page.get_by_role("button", name=action, exact=True).click()


def of_pool(page: Page, more: Locator, action: str) -> None:
    """Choose from the pool's menu, once it has this."""
    expect(page.locator("#pool-acts").get_by_text(action, exact=True)).to_be_attached()
    more.click()
    page.get_by_role("button", name=action, exact=True).click()


def told(page: Page, words: str) -> None:
    expect(page.locator(".toastx").filter(has_text=words)).to_be_visible(timeout=SLOW)


def test_a_pool_and_its_volumes_from_beginning_to_end(page: Page, name: str, tmp_path: Path, shot: Shot) -> None:
    folder = tmp_path / "pool"
    page.goto("/storage/")
    page.get_by_role("button", name="New pool").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Folder on the host").fill(f"{folder}/")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_contain_text("without a slash at its end")
    dialog.get_by_label("Folder on the host").fill(str(folder))
    shot(page, "pool-new")
    dialog.get_by_role("button", name="Create").click()
    told(page, "The pool is there")
    page.goto(f"/storage/?q={name}")
    page.get_by_role("link", name=name).click()

    page.get_by_role("button", name="New volume").click()
    dialog.get_by_label("Name").fill("data.qcow2")
    dialog.get_by_label("Size in GiB").fill("2")
    shot(page, "volume-new")
    dialog.get_by_role("button", name="Create").click()
    told(page, "The volume is there")
    expect(row(page, "data.qcow2")).to_contain_text("2.00 GiB")
    assert "data.qcow2" in virsh("vol-list", name)

    choose(page, "data.qcow2", "Grow")
    dialog.get_by_label("Size in GiB").fill("3")
    dialog.get_by_role("button", name="Grow").click()
    expect(row(page, "data.qcow2")).to_contain_text("3.00 GiB", timeout=SLOW)

    choose(page, "data.qcow2", "Clone")
    expect(dialog.get_by_label("Name")).to_have_value("data-copy.qcow2")
    dialog.get_by_label("Name").fill("data.qcow2")
    dialog.get_by_role("button", name="Clone").click()
    expect(dialog.get_by_role("alert")).to_contain_text("needs changing. See what is wrong with it below. The pool")
    dialog.get_by_label("Name").fill("data-copy.qcow2")
    dialog.get_by_role("button", name="Clone").click()
    expect(row(page, "data-copy.qcow2")).to_be_visible(timeout=SLOW)

    with page.expect_download(timeout=SLOW) as coming:
        row(page, "data.qcow2").get_by_role("button", name="Download data.qcow2").click()
    assert coming.value.suggested_filename == "data.qcow2"
    came = tmp_path / "came"
    coming.value.save_as(came)
    assert came.read_bytes() == (folder / "data.qcow2").read_bytes()

    row(page, "data.qcow2").get_by_role("button", name="More actions for data.qcow2").click()
    shot(page, "volume-menu")
    link = page.get_by_role("link", name="Create an instance from it")
    assert "?disk=" in (link.get_attribute("href") or "")
    page.keyboard.press("Escape")

    choose(page, "data.qcow2", "Delete")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("Type data.qcow2").fill("data.qcow2")
    dialog.get_by_role("button", name="Delete").click()
    expect(row(page, "data.qcow2")).to_have_count(0, timeout=SLOW)
    assert "data.qcow2" not in virsh("vol-list", name)

    more = page.get_by_role("button", name=f"More actions for {name}")
    more.click()
    page.get_by_role("button", name="Stop", exact=True).click()
    told(page, f"{name} is not active")
    expect(page.locator("#about")).to_contain_text("inactive")
    page.get_by_role("button", name="Start", exact=True).click()
    told(page, f"{name} is active")
    expect(page.get_by_role("button", name="Read the pool again")).to_be_visible()
    of_pool(page, more, "Remove")
    expect(dialog).to_contain_text(f"stay on the disk, in {folder}")
    dialog.get_by_label(f"Type {name}").fill(name)
    dialog.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/storage/")
    told(page, "its folder stays")
    assert name not in virsh("pool-list", "--all")
    assert (folder / "data-copy.qcow2").exists()


def test_a_download_goes_on_where_it_was_cut(page: Page, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    virsh("pool-create-as", name, "dir", "--target", str(folder), "--build")
    (folder / "data.raw").write_bytes(bytes(range(256)) * 4096)
    virsh("pool-refresh", name)
    page.goto(f"/storage/?q={name}")
    page.get_by_role("link", name=name).click()
    with page.expect_download(timeout=SLOW) as coming:
        page.get_by_role("button", name="Download data.raw").click()
    url = coming.value.url
    answer = page.request.get(url, headers={"Range": "bytes=1000000-"})
    assert answer.status == 206
    assert answer.body() == (folder / "data.raw").read_bytes()[1_000_000:]
    assert answer.headers["content-disposition"] == 'attachment; filename="data.raw"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    # Nobody reaches the files but through the web process.
    number = url.rstrip("/").rpartition("/")[2]
    assert page.request.get(f"/_downloads/{number}").status == 404


def test_a_menu_that_was_open_meanwhile_is_true_when_it_opens_again(page: Page, name: str, tmp_path: Path) -> None:
    virsh("pool-define-as", name, "dir", "--target", str(tmp_path / "pool"))
    virsh("pool-build", name)
    virsh("pool-start", name)
    page.goto(f"/storage/?q={name}")
    page.get_by_role("link", name=name).click()
    more = page.get_by_role("button", name=f"More actions for {name}")
    more.click()
    virsh("pool-destroy", name)
    expect(page.locator("#about")).to_contain_text("inactive")
    expect(page.get_by_role("button", name="Read the pool again")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start", exact=True).click()
    told(page, f"{name} is active")
