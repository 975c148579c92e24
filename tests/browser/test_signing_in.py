"""Signing in and out as a person does it, in more than one tab and more than one browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.program import Program
from tests.stack import PASSWORD, Stack

NAME = "t-signin"
MAKE = f"""
from accounts.models import Grant, Role, User
user = User.objects.create_user({NAME!r}, password={PASSWORD!r})
Grant.objects.create(user=user, role=Role.VIEWER, scope=Grant.Scope.EVERYTHING)
"""
ADD_HOST = f"""
from accounts.models import User
from hosts.services import add_host
admin = User.objects.get(username="admin")
print(add_host(name={NAME!r}, uri="qemu+ssh://webvirt@127.0.0.1:9/system", actor=admin).pk)
"""
FORGET_HOST = f"from hosts.models import Host; Host.objects.filter(name={NAME!r}).delete()"
LOGIN = re.compile(r"/login/\?next=")
AT_ONCE = 10_000  # ms: a page that is not told finds out by the 15 s at which its socket hears something anyway


@pytest.fixture(scope="module", autouse=True)
def person(stack: Stack) -> str:
    made = stack.manage("shell", "-v0", "-c", MAKE)
    assert made.returncode == 0, made.stderr
    return NAME


@pytest.fixture
def unreached(stack: Stack) -> Iterator[str]:
    """The number of an ssh host whose key nobody has confirmed."""
    made = stack.manage("shell", "-v0", "-c", ADD_HOST)
    assert made.returncode == 0, made.stderr
    yield made.stdout.strip()
    assert stack.manage("shell", "-v0", "-c", FORGET_HOST).returncode == 0


@pytest.fixture
def fresh(browser: Browser, stack: Stack) -> Iterator[Callable[[], BrowserContext]]:
    """Browsers that nobody has used."""
    opened: list[BrowserContext] = []

    def open_one() -> BrowserContext:
        opened.append(browser.new_context(base_url=stack.url, locale="en-GB", timezone_id="UTC"))
        return opened[-1]

    yield open_one
    for context in opened:
        context.close()


def log_in(page: Page, password: str = PASSWORD) -> Page:
    page.goto("/login/?next=/hosts/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return page


def listening(page: Page, come: Callable[[], object]) -> None:
    """Come to a page, and wait until its socket has heard the first word."""
    with page.expect_event("websocket") as opened:
        come()
    opened.value.wait_for_event("framereceived")


def test_logging_out_ends_every_tab_by_itself(fresh: Callable[[], BrowserContext]) -> None:
    context = fresh()
    first, second = context.new_page(), context.new_page()
    log_in(first)
    expect(first.get_by_role("heading", name="Hosts")).to_be_visible()
    listening(second, lambda: second.goto("/hosts/"))
    first.get_by_role("button", name=f"Account: {NAME}").click()
    first.get_by_role("button", name="Log out").click()
    expect(first.get_by_role("button", name="Log in")).to_be_visible()
    expect(second).to_have_url(LOGIN, timeout=AT_ONCE)


def test_a_new_password_ends_the_other_browser_and_keeps_this_one(fresh: Callable[[], BrowserContext]) -> None:
    here, there = log_in(fresh().new_page()), fresh().new_page()
    expect(here.get_by_role("heading", name="Hosts")).to_be_visible()
    listening(there, lambda: log_in(there))
    here.get_by_role("button", name=f"Account: {NAME}").click()
    here.get_by_role("link", name="Change password").click()
    here.get_by_label("Old password").fill(PASSWORD)
    here.get_by_label("New password", exact=True).fill("quite another one")
    here.get_by_label("New password confirmation").fill("quite another one")
    here.get_by_role("button", name="Change password").click()
    expect(here.get_by_role("status").get_by_text("Your password is changed")).to_be_visible()
    expect(there).to_have_url(LOGIN, timeout=AT_ONCE)
    log_in(there, "quite another one")
    expect(there.get_by_role("heading", name="Hosts")).to_be_visible()


def test_too_many_wrong_passwords_are_told_in_plain_words(
    fresh: Callable[[], BrowserContext], shot: Callable[[Page, str], None]
) -> None:
    page = fresh().new_page()
    for _ in range(11):
        log_in(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("Too many attempts. Try again in 5 minutes.")
    expect(page.get_by_text("manage.py changepassword")).to_be_visible()
    shot(page, "too-many-attempts")


def test_a_token_is_made_copied_and_removed(
    page: Page, signed_in: BrowserContext, stack: Stack, shot: Callable[[Page, str], None]
) -> None:
    signed_in.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
    page.goto("/")
    page.get_by_role("button", name="Account: admin").click()
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("What it is for").fill(NAME)
    page.get_by_label("It may").select_option("Read")
    page.get_by_role("button", name="Make a token").click()
    secret = page.get_by_role("textbox", name=f"The token {NAME}").input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    shot(page, "tokens")
    assert Program(stack, secret).get("hosts/")["count"]
    assert Program(stack, secret).send("POST", "hosts/", {"name": "x", "uri": "test:///default"}).status == 403
    page.goto("/accounts/tokens/")
    row = page.get_by_role("row", name=NAME)
    expect(row).not_to_contain_text("never")
    assert secret not in page.content()
    row.get_by_role("button", name=f"Remove the token {NAME}").click()
    expect(page.get_by_role("status").get_by_text(f"The token {NAME} is removed.")).to_be_visible()
    expect(row).to_have_count(0)
    assert Program(stack, secret).send("GET", "hosts/").status == 401


def test_a_part_that_is_fetched_after_the_session_ended_leads_the_whole_page_to_the_login(
    browser: Browser, signed_in: BrowserContext, stack: Stack, unreached: str
) -> None:
    context = browser.new_context(base_url=stack.url, storage_state=signed_in.storage_state(), locale="en-GB")
    page = context.new_page()

    def end_session(route: Route) -> None:
        context.clear_cookies()
        route.continue_()

    page.route("**/keys/", end_session)
    page.goto(f"/hosts/{unreached}/connect/")
    page.wait_for_url(f"**/login/?next=/hosts/{unreached}/connect/")
    expect(page.get_by_label("Password")).to_be_visible()
    context.close()
