"""Every address of Webvirt, asked by everybody: who is let in, who is refused, and that looking changes nothing.

An address that is not in EXPECTED fails. Nothing here may reach a hypervisor: the web process has no business there.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest
import redis
from django.apps import apps
from django.core import serializers
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiToken
from storage.models import Upload
from storage.uploads import create_upload
from tests.unit.world import World

# What each of these hears; anonymous ones are shown the login page, or 401 in the API.
PEOPLE = ("stranger", "viewer", "operator", "manager", "admin")
IN = "in"  # done, or refused because of the state that things are in
ROWS: dict[str, tuple[Any, ...]] = {
    "all": (200, 200, 200, 200, 200),
    "who sees it": (404, 200, 200, 200, 200),
    "who operates it": (404, 403, IN, IN, IN),
    "who manages it": (404, 403, 403, IN, IN),
    "who manages something": (403, 403, 403, IN, IN),
    "only admins": (403, 403, 403, 403, 200),
    "admins": (403, 403, 403, 403, IN),
    "admins who see its host": (404, 403, 403, 403, IN),
    "its owner": (404, 404, 404, IN, IN),
    "one's own": (404, 404, 404, 404, IN),  # the token is the admin's
    "anybody signed in": (IN, IN, IN, IN, IN),
    "who sees it, when it runs": (404, 409, 409, 409, 409),
    "nobody": (405, 405, 405, 405, 405),
    "unknown": (404, 404, 404, 404, 404),
}
GUEST_ACTIONS = ("start", "shutdown", "reboot", "reset", "destroy", "suspend", "resume", "save", "start_from_cd")
VOLUME_DIALOGS = ("clone", "delete", "grow", "download")

# Address: for whom GET is, and for whom POST is.
EXPECTED: dict[str, tuple[str, str]] = {
    "": ("all", "nobody"),
    "accounts/password/": ("all", "all"),  # the POST's fields are wrong: the form comes again
    "accounts/preferences/": ("nobody", "anybody signed in"),
    "accounts/tokens/": ("all", "all"),  # as with the password
    "accounts/tokens/<int:pk>/remove/": ("nobody", "one's own"),
    "hosts/": ("all", "nobody"),
    "hosts/<int:pk>/": ("who sees it", "nobody"),
    "hosts/<int:pk>/address/": ("admins who see its host", "admins who see its host"),
    "hosts/<int:pk>/connect/": ("admins who see its host", "nobody"),
    "hosts/<int:pk>/edit/": ("admins who see its host", "admins who see its host"),
    "hosts/<int:pk>/keys/": ("admins who see its host", "nobody"),
    "hosts/<int:pk>/remove/": ("admins who see its host", "admins who see its host"),
    "hosts/<int:pk>/trust/": ("nobody", "admins who see its host"),
    "hosts/add/": ("only admins", "admins"),
    "hosts/<int:pk>/check/": ("admins who see its host", "admins who see its host"),
    "instances/": ("all", "nobody"),
    "instances/bulk/": ("nobody", "anybody signed in"),  # what is not theirs is told one by one
    "instances/delete/": ("all", "nobody"),
    "instances/create/": ("who manages something", "who manages something"),
    "instances/<int:pk>/": ("who sees it", "nobody"),
    "instances/<int:pk>/autostart/": ("nobody", "who manages it"),
    "instances/<int:pk>/console/": ("who operates it", "nobody"),
    "instances/<int:pk>/console/token/": ("nobody", "who operates it"),
    "instances/<int:pk>/delete/": ("who manages it", "who manages it"),
    "instances/<int:pk>/discard/": ("who operates it", "who operates it"),
    "instances/<int:pk>/edit/": ("nobody", "who manages it"),
    "instances/<int:pk>/media/": ("nobody", "who manages it"),
    **{f"instances/<int:pk>/{action}/": ("nobody", "who operates it") for action in GUEST_ACTIONS},
    "networks/": ("all", "nobody"),
    "networks/create/": ("who manages something", "who manages something"),
    "networks/<int:pk>/": ("who sees it", "nobody"),
    "networks/<int:pk>/autostart/": ("nobody", "who manages it"),
    "networks/<int:pk>/remove/": ("who manages it", "who manages it"),
    "networks/<int:pk>/start/": ("nobody", "who manages it"),
    "networks/<int:pk>/stop/": ("who manages it", "who manages it"),
    "search/": ("all", "nobody"),
    "storage/": ("all", "nobody"),
    "storage/<int:pk>/": ("who sees it", "nobody"),
    "storage/<int:pk>/autostart/": ("nobody", "who manages it"),
    "storage/<int:pk>/create/": ("who manages it", "who manages it"),
    "storage/<int:pk>/remove/": ("who manages it", "who manages it"),
    "storage/<int:pk>/start/": ("nobody", "who manages it"),
    "storage/<int:pk>/stop/": ("nobody", "who manages it"),
    "storage/create/": ("only admins", "admins"),
    "storage/<int:pk>/refresh/": ("nobody", "who operates it"),
    "storage/<int:pk>/upload/": ("who manages it", "nobody"),
    "storage/uploads/<uuid:pk>/cancel/": ("nobody", "its owner"),
    "storage/uploads/<uuid:pk>/retry/": ("nobody", "its owner"),
    **{f"storage/volumes/<int:pk>/{verb}/": ("who manages it", "who manages it") for verb in VOLUME_DIALOGS},
    "tasks/": ("all", "nobody"),
    "tasks/<int:pk>/": ("who sees it", "nobody"),
    "tasks/<int:pk>/cancel/": ("nobody", "who operates it"),
    "^api/": ("unknown", "unknown"),
    "api/v1/docs/": ("all", "nobody"),
    "api/v1/downloads/<int:pk>/": ("unknown", "nobody"),  # the task there is no download
    "api/v1/events": ("all", "nobody"),
    "api/v1/hosts/": ("all", "admins"),
    "api/v1/hosts/<int:pk>/": ("who sees it", "nobody"),
    "api/v1/hosts/<int:pk>/check": ("nobody", "admins who see its host"),
    "api/v1/hosts/<int:pk>/offered-keys": ("admins who see its host", "nobody"),
    "api/v1/hosts/<int:pk>/trust-key": ("nobody", "admins who see its host"),
    "api/v1/instances/": ("all", "anybody signed in"),  # a host that one may not see is an error of its field
    "api/v1/instances/<int:pk>/": ("who sees it", "nobody"),
    "api/v1/instances/<int:pk>/console": ("nobody", "who operates it"),
    "api/v1/instances/<int:pk>/media": ("nobody", "who manages it"),
    "api/v1/instances/<int:pk>/screenshot": ("who sees it, when it runs", "nobody"),
    "api/v1/instances/<int:pk>/xml": ("who sees it", "nobody"),
    **{f"api/v1/instances/<int:pk>/{action}": ("nobody", "who operates it") for action in GUEST_ACTIONS},
    "api/v1/interfaces/": ("all", "nobody"),
    "api/v1/interfaces/<int:pk>/": ("who sees it", "nobody"),
    "api/v1/networks/": ("all", "anybody signed in"),  # as with instances
    "api/v1/networks/<int:pk>/": ("who sees it", "nobody"),
    "api/v1/networks/<int:pk>/leases/": ("who sees it", "nobody"),
    "api/v1/networks/<int:pk>/start": ("nobody", "who manages it"),
    "api/v1/networks/<int:pk>/stop": ("nobody", "who manages it"),
    "api/v1/pools/": ("all", "admins who see its host"),
    "api/v1/pools/<int:pk>/": ("who sees it", "nobody"),
    "api/v1/pools/<int:pk>/refresh": ("nobody", "who operates it"),
    "api/v1/pools/<int:pk>/start": ("nobody", "who manages it"),
    "api/v1/pools/<int:pk>/stop": ("nobody", "who manages it"),
    "api/v1/schema/": ("all", "nobody"),
    "api/v1/tasks/": ("all", "nobody"),
    "api/v1/tasks/<int:pk>/": ("who sees it", "nobody"),
    "api/v1/tasks/<int:pk>/cancel": ("nobody", "who operates it"),
    "api/v1/tasks/<int:pk>/log": ("who sees it", "nobody"),
    "api/v1/tokens/": ("all", "anybody signed in"),
    "api/v1/tokens/<int:pk>/": ("one's own", "nobody"),
    "api/v1/uploads/": ("nobody", "who manages it"),
    "api/v1/uploads/<uuid:pk>/": ("nobody", "nobody"),
    "api/v1/volumes/": ("all", "who manages it"),
    "api/v1/volumes/<int:pk>/": ("who sees it", "nobody"),
    **{f"api/v1/volumes/<int:pk>/{verb}": ("nobody", "who manages it") for verb in ("clone", "download", "resize")},
}
# Tested on their own: they are for people who are not signed in.
DOORS = {"login/", "logout/", "healthz"}
OPEN = {"api/v1/schema/", "^api/"}
DONE = {200, 201, 202, 204, 302, 400, 409}


@pytest.fixture(autouse=True)
def _no_hypervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection from here would be a page that waits for a host."""

    def refuse(*args: object) -> None:
        raise AssertionError("the web process opened a libvirt connection")

    for name in ("open", "openAuth", "openReadOnly"):
        monkeypatch.setattr(libvirt, name, refuse)


@pytest.fixture
def upload(world: World, redis_server: redis.Redis) -> Upload:
    return create_upload(owner=world.manager, pool=world.pool, filename="new.iso", length=5)


def routes(patterns: list[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern


ALL = [(route, pattern) for route, pattern in routes(get_resolver().url_patterns)]


def test_every_address_has_an_expectation() -> None:
    known = {route for route, pattern in ALL if not getattr(pattern.callback, "is_alias", False)}
    assert known == set(EXPECTED) | DOORS


def test_every_other_spelling_is_of_an_address_that_is_known() -> None:
    others = {route for route, pattern in ALL if getattr(pattern.callback, "is_alias", False)}
    assert {route.removesuffix("/") if route.endswith("/") else f"{route}/" for route in others} <= set(EXPECTED)


def kind_of(route: str) -> str:
    """What the number in an address is of: the first part of it, but for volumes' pages."""
    return route.removeprefix("api/v1/").removeprefix("storage/" if "/volumes/" in route else "").split("/")[0]


def address(route: str, world: World, upload: Upload) -> str:
    kind = kind_of(route)
    rows = {
        "downloads": world.task,
        "hosts": world.host,
        "instances": world.instance,
        "interfaces": world.interface,
        "networks": world.network,
        "pools": world.pool,
        "storage": world.pool,
        "tasks": world.task,
        "volumes": world.volume,
    }
    if "tokens/<int:pk>" in route:
        rows[kind] = ApiToken.objects.get_or_create(user=world.admin, name="the admin's", digest="x")[0]
    pk = str(rows[kind].pk) if kind in rows else ""
    return "/" + route.replace("<int:pk>", pk).replace("<uuid:pk>", str(upload.pk)).replace("^api/", "api/nowhere")


def post(client: Any, route: str, url: str, world: World) -> Any:
    """A POST that is right but for the right to it."""
    if not route.startswith("api/"):
        return client.post(url, {"theme": "dark", "volume": world.iso.pk, "autostart": "on", "type": "vnc"})
    if route == "api/v1/uploads/":
        pairs = {"pool": str(world.pool.pk), "filename": f"{client.session.session_key}.iso"}
        told = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        return client.post(url, headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": told})
    bodies = {
        "api/v1/hosts/": {"name": "kvm-03", "uri": "qemu:///system"},
        "api/v1/tokens/": {"name": "script"},
        "api/v1/instances/<int:pk>/media": {"volume": world.iso.pk},
        "api/v1/pools/": {"host": world.host.pk, "name": "more", "path": "/srv/more"},
        "api/v1/volumes/<int:pk>/clone": {"name": "copy.qcow2"},
        "api/v1/volumes/<int:pk>/resize": {"size_bytes": 20 * 2**30},
        "api/v1/volumes/": {"pool": world.pool.pk, "name": "new.qcow2", "size_bytes": 2**20},
    }
    return client.post(url, json.dumps(bodies.get(route, {})), content_type="application/json")


def verdict(answer: Any, expected: Any) -> Any:
    """The status, or IN where that is what it amounts to."""
    let_in = answer.status_code in DONE and not answer.headers.get("Location", "").startswith("/login/")
    return IN if expected == IN and let_in else answer.status_code


def rows() -> list[str]:
    """Everything that is in the database, but for what signing in leaves there."""
    models = [model for model in apps.get_models() if model._meta.app_label not in ("sessions", "contenttypes")]
    kept = [serializers.serialize("json", model._default_manager.order_by("pk")) for model in models]
    return [text for text in kept if '"last_login"' not in text]


@pytest.mark.parametrize("route", EXPECTED)
def test_everybody_hears_what_is_theirs(route: str, world: World, upload: Upload) -> None:
    url = address(route, world, upload)
    clients = {name: world.client(name) for name in (*PEOPLE, "anonymous")}
    before = rows()
    looked = {name: clients[name].get(url) for name in clients}
    assert rows() == before, "GET changed a row"
    asked = {name: post(clients[name], route, url, world) for name in PEOPLE}
    asked["anonymous"] = post(clients["anonymous"], route, url, world)
    for answers, row in ((looked, ROWS[EXPECTED[route][0]]), (asked, ROWS[EXPECTED[route][1]])):
        found = tuple(verdict(answers[name], wanted) for name, wanted in zip(PEOPLE, row, strict=True))
        if EXPECTED[route] == ("nobody", "its owner"):
            found = found[:4]  # the owner's own POST may have been the end of it
        assert found == row[: len(found)]
        if route not in OPEN:
            assert_shown_the_door(answers["anonymous"], route)


def assert_shown_the_door(answer: Any, route: str) -> None:
    if route.startswith("api/") and route != "api/v1/docs/":
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
    else:
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/?next=/")


PAGES = [route for route, (get, _post) in EXPECTED.items() if "api/" not in route and get != "nobody"]


@pytest.mark.parametrize("route", PAGES)
def test_a_page_of_a_dark_host_is_shown_all_the_same(route: str, world: World, upload: Upload) -> None:
    world.host_is_down()
    answer = world.client("admin").get(address(route, world, upload))
    assert answer.status_code in ((200, 503) if route.endswith("console/") else (200,))
    assert answer["Content-Security-Policy"].startswith("default-src 'self'")
    assert "script-src" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("route", PAGES)
def test_a_page_is_shown_without_redis(route: str, world: World, upload: Upload, monkeypatch: Any) -> None:
    class Away:
        """A Redis that refuses everything."""

        def __getattr__(self, name: str) -> Any:
            raise redis.ConnectionError("away")

    for module in ("hosts.figures", "hosts.happenings", "live.middleware", "live.channel"):
        monkeypatch.setattr(f"{module}.client", Away)
    assert world.client("admin").get(address(route, world, upload)).status_code in (200, 503)


@pytest.mark.parametrize("route", [route for route in PAGES if "<int:pk>" in route])
@pytest.mark.parametrize("number", ["0", "999999", "9" * 30])
def test_a_number_that_names_nothing_is_404(route: str, number: str, world: World) -> None:
    assert world.client("admin").get("/" + route.replace("<int:pk>", number)).status_code == 404


QUERIES = "q=%00&state=x&host=x&kind=%27&user=%F0%9F%92%A9&object=x&sort=nope&page=x&per_page=x&ids=x,9,&cdrom=x&pool=x"


@pytest.mark.parametrize("route", PAGES)
@pytest.mark.parametrize("live", [{}, {"X-Webvirt-Live": "rows"}, {"X-Webvirt-Live": "block"}])
def test_no_query_string_breaks_a_page(route: str, live: dict[str, str], world: World, upload: Upload) -> None:
    url = address(route, world, upload)
    for query in (QUERIES, QUERIES.replace("=x", "=" + "9" * 30), "block=nonsense", "block=head&ids=" + "9" * 30):
        answer = world.client("admin").get(f"{url}?{query}", headers=live)
        assert answer.status_code in (200, 404, 409), query
