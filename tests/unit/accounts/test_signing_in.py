"""Signing in and out, and what a person prefers."""

from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.sessions import person_of
from tests.unit.world import World


def test_a_person_signs_in_and_out(world: World) -> None:
    client = Client()
    answer = client.get("/hosts/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/hosts/")
    asked = {"username": "viewer", "password": "correct horse battery"}
    assert client.post("/login/?next=/hosts/", asked)["Location"] == "/hosts/"
    key = client.session.session_key
    assert person_of(key) == world.viewer
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert not person_of(key).is_authenticated
    assert client.get("/hosts/").status_code == 302


def test_a_part_of_a_page_that_is_asked_for_after_the_session_ended_leads_the_browser_to_the_login_page(
    world: World,
) -> None:
    page, part = f"/hosts/{world.host.pk}/connect/", f"/hosts/{world.host.pk}/keys/"
    asks = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    answer = Client().get(part, headers=asks)
    assert (answer.status_code, answer["HX-Redirect"], answer.content) == (200, f"/login/?next={page}", b"")
    elsewhere = Client().get(part, headers=asks | {"HX-Current-URL": "https://evil.example/"})
    assert elsewhere["HX-Redirect"] == "/login/?next=/"


def test_a_wrong_password_lets_nobody_in(world: World) -> None:
    answer = Client().post("/login/", {"username": "viewer", "password": "wrong"})
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies


def test_nobody_is_sent_to_another_site(world: World) -> None:
    asked = {"username": "viewer", "password": "correct horse battery"}
    assert Client().post("/login/?next=https://evil.example/", asked)["Location"] == "/"


def test_a_session_ends_with_its_user_and_with_a_new_password(world: World) -> None:
    client = world.client("viewer")
    key = client.session.session_key
    world.viewer.set_password("another password")
    world.viewer.save()
    assert not person_of(key).is_authenticated
    client = world.client("operator")
    User.objects.filter(username="operator").update(is_active=False)
    assert not person_of(client.session.session_key).is_authenticated
    assert not person_of(None).is_authenticated
    assert not person_of("nonsense").is_authenticated


def test_the_theme_is_remembered(world: World) -> None:
    client = world.client("viewer")
    assert client.post("/accounts/preferences/", {"theme": "dark"}).status_code == 302
    assert client.post("/accounts/preferences/", {"theme": "pink"}).status_code == 400
    assert User.objects.get(username="viewer").theme == "dark"


def test_the_language_is_the_browsers_until_one_is_chosen(world: World) -> None:
    client = world.client("viewer")
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9"}
    assert '<html lang="en"' in client.get("/hosts/").content.decode()
    page = client.get("/hosts/", headers=chinese).content.decode()
    assert '<html lang="zh-hans"' in page
    assert "主机" in page
    assert client.post("/accounts/preferences/", {"language": "en"}).status_code == 302
    assert client.get("/hosts/", headers=chinese)["Content-Language"] == "en"
    client.post("/accounts/preferences/", {"language": "zh-hans"})
    assert client.get("/hosts/")["Content-Language"] == "zh-hans"
    client.post("/accounts/preferences/", {"theme": "dark"})
    viewer = User.objects.get(username="viewer")
    assert (viewer.language, viewer.theme) == ("zh-hans", "dark")
    assert client.post("/accounts/preferences/", {"language": "xx"}).status_code == 400
    assert '<html lang="zh-hans"' in Client().get("/login/", headers=chinese).content.decode()


def test_who_chooses_stays_on_the_page(world: World) -> None:
    client = world.client("viewer")
    asked = {"language": "zh-hans", "next": "/tasks/?state=failed"}
    assert client.post("/accounts/preferences/", asked)["Location"] == "/tasks/?state=failed"
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", ""):
        assert client.post("/accounts/preferences/", {**asked, "next": elsewhere})["Location"] == "/"


def test_a_strange_time_zone_breaks_no_page(world: World) -> None:
    client = world.client("viewer")
    session = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"
    # As they come over the wire: the third is a NUL, which newer Pythons do not let a client write.
    for zone in ("Asia/Shanghai", "../../etc/passwd", '"\\000"', "Nowhere/At_all", "x" * 4000, ""):
        assert client.get("/hosts/", headers={"cookie": f"{session}; webvirt_tz={zone}"}).status_code == 200
