"""Tokens made by a program and by a person: shown once, one's own, and never more than their scope."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import ApiToken
from tests.unit.world import World

CHANGES = [
    (method, path)
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items()
    for method in methods
    if method not in ("get", "head")
]


def program(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)


def ask(client: Client, body: Any) -> Any:
    return client.post("/api/v1/tokens/", json.dumps(body), content_type="application/json")


def test_a_token_is_made_shown_once_and_removed(world: World) -> None:
    client = program(world.token("viewer"))
    made = ask(client, {"name": "backup", "scope": "read"})
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    shape = made.json()
    secret = shape.pop("token")
    assert client.get(made["Location"]).json() == shape
    assert (shape["name"], shape["scope"], shape["last_used_at"]) == ("backup", "read", None)
    assert secret not in client.get("/api/v1/tokens/").content.decode()
    assert program(secret).get("/api/v1/hosts/").status_code == 200
    assert client.get(made["Location"]).json()["last_used_at"].endswith("Z")
    assert client.delete(made["Location"]).status_code == 204
    assert program(secret).get("/api/v1/hosts/").status_code == 401


def test_tokens_of_others_are_not_there(world: World) -> None:
    theirs = ApiToken.issue(user=world.admin, name="theirs", scope="write")[0]
    for name in ("viewer", "manager"):
        client = program(world.token(name))
        assert [row["name"] for row in client.get("/api/v1/tokens/").json()["results"]] == ["test"]
        assert client.get(f"/api/v1/tokens/{theirs.pk}/").status_code == 404
        assert client.delete(f"/api/v1/tokens/{theirs.pk}/").status_code == 404
        assert world.client(name).post(f"/accounts/tokens/{theirs.pk}/remove/").status_code == 404
    assert ApiToken.objects.filter(pk=theirs.pk).exists()


def test_a_token_cannot_remove_itself(world: World) -> None:
    client = program(world.token("viewer"))
    own = ApiToken.objects.get()
    assert client.delete(f"/api/v1/tokens/{own.pk}/").status_code == 409
    assert world.client("viewer").delete(f"/api/v1/tokens/{own.pk}/").status_code == 204


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": "x", "scope": "all"}, {"name": "x", "user": 1}, [], "x"]
)
def test_a_wrong_request_makes_none(world: World, body: Any) -> None:
    assert ask(world.client("admin"), body).status_code == 400
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_reading_token_is_refused_whatever_it_wants_to_change(world: World, method: str, path: str) -> None:
    name = path.replace("{id}", "00000000-0000-4000-8000-000000000000" if "uploads" in path else "1")
    answer = getattr(program(world.token("admin", "read")), method)(name, "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (403, 403)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["backup", "night", "watch"]),
        ("?ordering=-name", ["watch", "night", "backup"]),
        ("?scope=read", ["watch"]),
        ("?search=IGH", ["night"]),
        ("?name=backup", ["backup"]),
    ],
)
def test_the_list_is_narrowed_and_ordered(world: World, query: str, names: list[str]) -> None:
    for name, scope in (("watch", "read"), ("night", "write"), ("backup", "write")):
        ApiToken.issue(user=world.viewer, name=name, scope=scope)
    found = world.client("viewer").get(f"/api/v1/tokens/{query}").json()["results"]
    assert [row["name"] for row in found] == names


def test_the_page_makes_a_token_shows_it_once_and_removes_it(world: World) -> None:
    client = world.client("viewer")
    answer = client.post("/accounts/tokens/", {"name": "nightly <script>", "scope": "read"})
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    found = re.search(r'value="(wv_[^"]+)"', page)
    assert found
    assert ApiToken.objects.redeem(found[1])
    assert "nightly &lt;script&gt;" in page
    page = client.get("/accounts/tokens/").content.decode()
    assert "wv_" not in page
    token = ApiToken.objects.get()
    assert (token.user, token.scope) == (world.viewer, "read")
    page = client.post(f"/accounts/tokens/{token.pk}/remove/", follow=True).content.decode()
    assert "is removed" in page
    assert not ApiToken.objects.exists()


def test_a_token_without_a_name_is_told_so_beside_the_field(world: World) -> None:
    page = world.client("viewer").post("/accounts/tokens/", {"name": " ", "scope": "read"}).content.decode()
    assert "errorlist" in page
    assert not ApiToken.objects.exists()


def test_the_page_shows_only_ones_own(world: World) -> None:
    ApiToken.issue(user=world.admin, name="of the admin", scope="write")
    ApiToken.issue(user=world.viewer, name="of the viewer", scope="write")
    page = world.client("viewer").get("/accounts/tokens/").content.decode()
    assert "of the viewer" in page
    assert "of the admin" not in page
