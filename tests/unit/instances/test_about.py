"""Title, notes and tags: changed by whom, refused when, found how."""

import json
from typing import Any

import pytest

from instances.labels import MOST_NOTES, MOST_TAGS, MOST_TITLE
from instances.models import Instance
from tasks.models import Task
from tests.unit.world import World, make_instance


@pytest.fixture(autouse=True)
def nothing_asked_yet(world: World) -> None:
    Task.objects.all().delete()


def edit(world: World, name: str = "manager", **data: str) -> Any:
    return world.client(name).post(f"/instances/{world.instance.pk}/edit/", data, headers={"X-Webvirt-Toast": "1"})


def patch(world: World, body: Any, name: str = "manager") -> Any:
    path = f"/api/v1/instances/{world.instance.pk}/"
    headers = {"Authorization": f"Bearer {world.token(name)}"}
    return world.client("anonymous").patch(path, json.dumps(body), content_type="application/json", headers=headers)


def test_the_form_asks_for_all_three(world: World) -> None:
    answer = edit(world, title=" The shop ", tags="prod, web ,, Prod,生产", notes="One\r\ntwo\r\n")
    assert answer.json()["task"]["title"] == "Change what is said about web-1"
    assert Task.objects.get().arguments == {
        "title": "The shop", "tags": ["prod", "web", "生产"], "notes": "One\ntwo",
    }  # fmt: skip


def test_an_empty_form_removes_what_was_said(world: World) -> None:
    edit(world)
    assert Task.objects.get().arguments == {"title": "", "tags": [], "notes": ""}


def test_only_managers_may(world: World) -> None:
    assert edit(world, "operator").status_code == 403
    assert edit(world, "stranger").status_code == 404
    assert patch(world, {"title": "x"}, "operator").status_code == 403
    assert "?edit=about" not in world.client("operator").get(f"/instances/{world.instance.pk}/").content.decode()
    page = world.client("operator").get(f"/instances/{world.instance.pk}/?edit=about").content.decode()
    assert "<textarea" not in page
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * (MOST_TITLE + 1)),
        ("title", "two\nlines"),
        ("title", "a\x1bb"),
        ("notes", "x" * (MOST_NOTES + 1)),
        ("notes", "a\x0bb"),
        ("tags", ['say "no"']),
        ("tags", ["a,b"]),
        ("tags", ["<b>"]),
        ("tags", ["x" * 41]),
        ("tags", [f"tag-{number}" for number in range(MOST_TAGS + 1)]),
        ("tags", "prod"),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_kept_is_said_by_field(world: World, field: str, value: Any) -> None:
    answer = patch(world, {field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not Task.objects.exists()


def test_a_program_changes_only_what_it_names(world: World) -> None:
    assert patch(world, {"tags": ["prod"]}).status_code == 202
    assert Task.objects.latest("pk").arguments == {"tags": ["prod"]}
    assert patch(world, {"autostart": True, "title": "x"}).status_code == 202
    assert Task.objects.latest("pk").arguments == {"autostart": True, "title": "x"}
    assert patch(world, {"autostart": True}).json()["task"]["kind"] == "instances.autostart"
    assert patch(world, {}).status_code == 400
    Instance.objects.update(persistent=False)
    assert patch(world, {"autostart": True, "title": "x"}).status_code == 409
    assert patch(world, {"title": "x"}).status_code == 202


@pytest.fixture
def tagged(world: World) -> None:
    Instance.objects.filter(pk=world.instance.pk).update(title="The shop", notes="Mind <it>", tags=["prod", "生产"])
    other = make_instance(world.host, "db-1")
    Instance.objects.filter(pk=other.pk).update(tags=["production"])
    far = make_instance(world.other_host, "far")
    Instance.objects.filter(pk=far.pk).update(tags=["secret"])


@pytest.mark.usefixtures("tagged")
def test_the_page_and_the_api_tell_what_is_said(world: World) -> None:
    page = world.client("viewer").get(f"/instances/{world.instance.pk}/").content.decode()
    assert "The shop" in page
    assert "Mind &lt;it&gt;" in page
    assert 'href="/instances/?tag=%E7%94%9F%E4%BA%A7"' in page
    shape = world.client("viewer").get(f"/api/v1/instances/{world.instance.pk}/").json()
    assert (shape["title"], shape["notes"], shape["tags"]) == ("The shop", "Mind <it>", ["prod", "生产"])


def names(world: World, query: str) -> list[str]:
    """What the page and the API find, which is the same."""
    client = world.client("viewer")
    page = [row.instance.name for row in client.get(f"/instances/?{query}").context["rows"]]
    found = client.get(f"/api/v1/instances/?{query.replace('q=', 'search=')}").json()["results"]
    assert [guest["name"] for guest in found] == page
    return page


@pytest.mark.usefixtures("tagged")
def test_guests_are_found_by_tag_and_title(world: World) -> None:
    assert names(world, "tag=prod") == ["web-1"]
    assert names(world, "tag=生产") == ["web-1"]
    assert names(world, "q=prod") == ["db-1", "web-1"]
    assert names(world, "q=生产") == ["web-1"]
    assert names(world, "q=shop") == ["web-1"]
    assert names(world, "tag=prod&q=db") == []
    assert names(world, "tag=prod&q=web") == ["web-1"]
    assert names(world, "tag=secret") == []
    assert names(world, "tag=%25") == names(world, "q=[") == []


@pytest.mark.usefixtures("tagged")
def test_the_filter_offers_the_tags_of_guests_that_one_sees(world: World) -> None:
    page = world.client("viewer").get("/instances/?tag=prod").content.decode()
    assert "?tag=production" in page
    assert "secret" not in page
