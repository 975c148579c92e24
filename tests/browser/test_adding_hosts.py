"""Hosts are added by following only what the page says: by ssh, by TCP with a password, by TLS."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.lab.ssh_host import SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from tests.stack import Stack
from tests.waiting import wait_for

SOON = 20_000  # ms: a silent host is tried again every 15 s
FORGET = "from hosts.models import Host; Host.objects.filter(name__startswith='t-').delete()"

Shot = Callable[[Page, str], None]


@pytest.fixture(autouse=True)
def _forget(stack: Stack) -> Iterator[None]:
    """The hosts that a test added are gone after it: the lab's own end with the lab."""
    yield
    assert stack.manage("shell", "-c", FORGET).returncode == 0


def fill(page: Page, **fields: str) -> None:
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).filter(visible=True).fill(text)


def begin(page: Page, way: str, name: str, address: str) -> None:
    page.goto("/hosts/add/")
    page.get_by_role("radio", name=way).check()
    fill(page, Name=name, Address=address)


def is_up(page: Page) -> None:
    expect(page.get_by_text("Webvirt is connected.")).to_be_visible(timeout=SOON)


def everywhere(page: Page, shot: Shot, name: str) -> None:
    """Pictures of it in both themes, and on a phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        shot(page, f"{name}-{scheme}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=f"tests/browser/shots/{name}-narrow.png", full_page=True)
    page.set_viewport_size({"width": 1360, "height": 900})


def test_an_ssh_host_from_nothing(page: Page, ssh_host: SshHost, shot: Shot) -> None:
    page.goto("/hosts/")
    page.get_by_role("link", name="Add host").click()
    everywhere(page, shot, "host-add")
    fill(page, Name="t-ssh", Address=ssh_host.address)
    expect(page.locator("[data-uri]")).to_have_text(ssh_host.uri)
    page.get_by_role("button", name="Add and connect").click()
    expect(page.get_by_role("heading", name="Connect t-ssh")).to_be_visible()

    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    ssh_host.run("bash", "-c", page.locator("#paste-line").inner_text())
    command = page.get_by_text("ssh-keygen -lf")
    expect(command).to_be_visible(timeout=SOON)
    everywhere(page, shot, "host-connect")
    assert page.locator("[data-fingerprint]").inner_text() in ssh_host.run(*command.inner_text().split())
    page.get_by_role("button", name="trust this machine").click()

    is_up(page)
    expect(page.get_by_text("The key was accepted.")).to_be_visible()
    expect(page.get_by_text("Confirmed by admin")).to_be_visible()
    everywhere(page, shot, "host-connected")
    page.get_by_role("link", name="Open host").click()
    expect(page.get_by_role("heading", name="t-ssh")).to_be_visible()
    expect(page.locator("#host .head")).to_contain_text("Up")


def test_a_step_ticks_by_itself_when_the_line_is_pasted_late(page: Page, ssh_host: SshHost) -> None:
    begin(page, "SSH", "t-late", ssh_host.address)
    page.get_by_role("button", name="Add and connect").click()
    page.get_by_role("button", name="trust this machine").click(timeout=SOON)
    expect(page.get_by_text("The host refused the key when it was last tried.")).to_be_visible(timeout=SOON)
    expect(page.locator("#check-key.c-failed")).to_be_visible(timeout=SOON)
    ssh_host.run("bash", "-c", page.locator("#paste-line").inner_text())
    is_up(page)
    expect(page.locator("#check-key.c-ok")).to_be_visible(timeout=SOON)
    expect(page.locator("#check-console.c-ok")).to_be_visible(timeout=SOON)


def test_a_host_that_shows_another_key_is_refused_until_it_is_accepted(
    page: Page, ssh_host: SshHost, shot: Shot
) -> None:
    begin(page, "SSH", "t-changed", ssh_host.address)
    page.get_by_role("button", name="Add and connect").click()
    ssh_host.run("bash", "-c", page.locator("#paste-line").inner_text())
    page.get_by_role("button", name="trust this machine").click(timeout=SOON)
    is_up(page)
    page.get_by_role("link", name="Open host").click()

    old = ssh_host.fingerprint
    ssh_host.change_host_key()
    ssh_host.restart_daemon()
    loud = page.get_by_role("alert").filter(has_text="t-changed shows another key")
    expect(loud).to_be_visible(timeout=SOON)
    expect(loud).to_contain_text(old)
    expect(loud).to_contain_text(ssh_host.fingerprint, timeout=SOON)
    everywhere(page, shot, "host-key-changed")
    name = page.get_by_label("Type t-changed to accept the new key")
    name.fill("t-chang")
    expect(page.get_by_role("button", name="Accept the new key")).to_be_disabled()
    name.fill("t-changed")
    page.get_by_role("button", name="Accept the new key").click()
    is_up(page)


def test_a_host_by_tcp_with_a_password(page: Page, tcp_host: TcpHost, shot: Shot) -> None:
    begin(page, "TCP", "t-tcp", tcp_host.address)
    expect(page.get_by_text("anybody who reaches the port rules the host")).to_be_visible()
    fill(page, User=tcp_host.user, Password="wrong")
    everywhere(page, shot, "host-add-tcp")
    page.get_by_role("button", name="Add and connect").click()
    expect(page.get_by_text("The host does not accept this user and password.")).to_be_visible(timeout=SOON)

    page.get_by_role("link", name="Change").click()
    expect(page.get_by_text("One is kept.")).to_be_visible()
    fill(page, Password=tcp_host.password)
    page.get_by_role("button", name="Save and connect").click()
    is_up(page)
    assert tcp_host.password not in page.content()


def test_a_host_by_tls(page: Page, tls_host: TlsHost, shot: Shot) -> None:
    folder = tls_host.client("known")
    pems = {name: (folder / f"{name}.pem").read_text() for name in ("cacert", "clientcert", "clientkey")}
    begin(page, "TLS", "t-tls", tls_host.address)
    page.get_by_label("Certificate of the authority").fill(pems["cacert"])
    page.get_by_label("Webvirt’s certificate", exact=True).fill(pems["clientcert"])
    page.get_by_role("button", name="Add and connect").click()
    expect(page.get_by_text("A certificate is shown with its key: give that too.")).to_be_visible()
    everywhere(page, shot, "host-add-tls")
    page.get_by_label("Key of Webvirt’s certificate").fill(pems["clientkey"])
    page.get_by_role("button", name="Add and connect").click()
    is_up(page)
    expect(page.get_by_text("Its certificates are good until")).to_be_visible()


def test_a_silent_host_can_be_asked_again(page: Page, ssh_host: SshHost, shot: Shot) -> None:
    ssh_host.stop_sshd()
    begin(page, "SSH", "t-silent", ssh_host.address)
    page.get_by_role("button", name="Add and connect").click()
    expect(page.get_by_text("No ssh server answers")).to_be_visible(timeout=SOON)
    shot(page, "host-connect-silent")
    ssh_host.start_sshd()

    def tried_again() -> bool:
        # It may go, with the answer, at the very moment that it is pressed.
        page.get_by_role("link", name="Try again").evaluate_all("links => links.forEach((link) => link.click())")
        return page.get_by_role("button", name="trust this machine").is_visible()

    # An answer counts for two seconds, whoever asks again meanwhile.
    wait_for(tried_again)
