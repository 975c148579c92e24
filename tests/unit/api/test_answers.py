"""What every answer of the API has in common: shapes, problems, and what is documented."""

import json
from html import unescape
from typing import Any

import jsonschema
import pytest
from django.db import OperationalError, connection
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tasks.models import Task
from tests.unit.world import World, make_instance, make_task

API = "/api/v1/"
LISTS = ("hosts/", "instances/", "pools/", "volumes/", "networks/", "interfaces/", "tasks/", "tokens/")


@pytest.fixture
def reader(world: World) -> Client:
    return Client(headers={"Authorization": f"Bearer {world.token('admin')}"}, raise_request_exception=False)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def details(world: World) -> list[str]:
    return [
        f"hosts/{world.host.pk}/",
        f"instances/{world.instance.pk}/",
        f"instances/{world.instance.pk}/xml",
        f"pools/{world.pool.pk}/",
        f"volumes/{world.volume.pk}/",
        f"networks/{world.network.pk}/",
        f"networks/{world.network.pk}/leases/",
        f"interfaces/{world.interface.pk}/",
        f"tasks/{world.task.pk}/",
        f"tasks/{world.task.pk}/log",
    ]


def schema_of(document: dict[str, Any], path: str, status: int, method: str = "get") -> dict[str, Any]:
    """The documented schema of an answer, its references resolvable, null where the document says nullable."""
    words = path.split("/")
    name = "/api/v1/" + "/".join("{id}" if word.isdigit() else word for word in words)
    content = document["paths"][name][method]["responses"][str(status)]["content"]
    schema = content.get("application/json") or content["application/problem+json"]
    return {**nullable(schema["schema"]), "components": nullable(document["components"])}


def nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable`, in the words of JSON Schema; and nothing but what is documented."""
    if isinstance(schema, list):
        return [nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: nullable(value) for key, value in schema.items()}
    if isinstance(told.get("properties"), dict):
        told["additionalProperties"] = False
    return {"anyOf": [told, {"type": "null"}]} if told.pop("nullable", False) else told


@pytest.mark.parametrize("path", LISTS)
def test_a_list_answers_what_is_documented(world: World, reader: Client, document: dict[str, Any], path: str) -> None:
    answer = reader.get(API + path)
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["count", "next", "previous", "results"]
    assert body["count"] == len(body["results"]) > 0
    jsonschema.validate(body, schema_of(document, path, 200))


@pytest.mark.parametrize("place", range(8))
def test_an_object_answers_what_is_documented(
    world: World, reader: Client, document: dict[str, Any], place: int
) -> None:
    path = details(world)[place]
    answer = reader.get(API + path)
    assert answer.status_code == 200, answer.content
    jsonschema.validate(answer.json(), schema_of(document, path, 200))


def test_a_failed_task_answers_what_is_documented(world: World, reader: Client, document: dict[str, Any]) -> None:
    error = {
        "title": "T",
        "detail": "It was %(what)s.",
        "hint": "",
        "params": {"what": "full"},
        "libvirt": "no",
        "code": "x",
    }
    task = make_task(world.admin, world.instance, state=Task.State.FAILED, error=error, result={"a": 1}, progress=40)
    body = reader.get(f"{API}tasks/{task.pk}/").json()
    jsonschema.validate(body, schema_of(document, "tasks/1/", 200))
    assert body["error"] == {"title": "T", "detail": "It was full.", "hint": "", "libvirt": "no"}
    assert body["object"]["id"] == world.instance.pk
    assert body["created_at"].endswith("Z")


@pytest.mark.parametrize("path", [*LISTS, "instances/1", "hosts", "nowhere/", "instances/x/"])
def test_it_asks_strangers_to_sign_in_or_says_there_is_nothing(db: None, path: str) -> None:
    answer = Client().get(API + path)
    if path in ("nowhere/", "instances/x/"):
        assert answer.status_code == 404
    else:
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
    assert_problem(answer)


@pytest.mark.parametrize(
    "path", ["v1/nowhere/", "v1/instances/1/explode", "v2/x", "v1/", "v1/a%0Ab/", "v1/uploads/%0A"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_unknown_addresses_are_problems_not_pages(reader: Client, path: str, method: str) -> None:
    answer = getattr(reader, method)(f"/api/{path}")
    assert answer.status_code == 404
    assert_problem(answer)


def test_what_is_not_seen_is_404_and_what_is_not_allowed_403(world: World) -> None:
    path = f"{API}instances/{world.instance.pk}/start"
    for name, status in (("stranger", 404), ("viewer", 403), ("operator", 202)):
        answer = Client(headers={"Authorization": f"Bearer {world.token(name)}"}).post(path)
        assert answer.status_code == status
        assert status == 202 or assert_problem(answer) is None


def test_a_reading_token_changes_nothing(world: World) -> None:
    client = Client(headers={"Authorization": f"Bearer {world.token('admin', 'read')}"})
    assert client.get(f"{API}instances/").status_code == 200
    answer = client.post(f"{API}instances/{world.instance.pk}/start")
    assert answer.status_code == 403
    assert_problem(answer)
    assert Task.objects.count() == 1


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer wv_wrong", "bearer \x00", "Bearer é"])
def test_a_wrong_token_is_401(db: None, header: str) -> None:
    answer = Client(headers={"Authorization": header}).get(f"{API}instances/")
    assert answer.status_code == 401
    assert_problem(answer)


def test_a_session_needs_the_csrf_token_to_change_something(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.admin)
    path = f"{API}instances/{world.instance.pk}/start"
    answer = client.post(path)
    assert answer.status_code == 403
    assert_problem(answer)
    client.cookies["webvirt_csrf"] = "a" * 32
    answer = client.post(path, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == 202, answer.content


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('"x"', "application/json", 400),
        ("null", "application/json", 400),
        ("{}", "application/json", 400),
        ('{"host": NaN}', "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ('{"name": "%s"}' % ("x" * 2_000_000), "application/json", 413),
        (b"\xff\xfe", "application/json", 400),
        ("a=1", "application/x-www-form-urlencoded", 415),
        ("<a/>", "application/xml", 415),
    ],
)
def test_a_body_that_is_not_understood_is_a_problem(reader: Client, body: Any, kind: str, status: int) -> None:
    answer = reader.post(f"{API}instances/", body, content_type=kind)
    assert answer.status_code == status
    assert_problem(answer)


def test_errors_of_nested_fields_have_a_path(world: World, reader: Client) -> None:
    asked = {"host": world.host.pk, "name": "web-2", "disks": [{"pool": world.pool.pk}], "colour": "red"}
    answer = reader.post(f"{API}instances/", json.dumps(asked), content_type="application/json")
    assert answer.status_code == 400
    assert "disks.0.size_bytes" in assert_problem_errors(answer)


def test_an_unknown_field_is_said_to_be_one(world: World, reader: Client) -> None:
    asked = {"host": world.host.pk, "name": "web-2", "colour": "red"}
    answer = reader.post(f"{API}instances/", json.dumps(asked), content_type="application/json")
    assert answer.status_code == 400
    assert list(assert_problem_errors(answer)) == ["colour"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png"])
def test_another_form_of_answer_is_406(reader: Client, accept: str) -> None:
    answer = reader.get(f"{API}instances/", headers={"Accept": accept})
    assert answer.status_code == 406
    assert_problem(answer)


def test_another_method_is_405_and_says_which_there_are(world: World, reader: Client) -> None:
    answer = reader.delete(f"{API}instances/")
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]
    assert_problem(answer)


HUGE = "9" * 30


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query",
    [f"limit={HUGE}", f"offset={HUGE}", "limit=-1", "limit=x", "search=%00", "search=%F0%9F%92%A9", "ordering=nope",
     "ordering=-name,id", f"host={HUGE}", "host=1.5", "host=x", "state=nope", "uuid=x", "name=%00", f"pool={HUGE}"],
)  # fmt: skip
def test_no_query_string_breaks_a_list(reader: Client, path: str, query: str) -> None:
    answer = reader.get(f"{API}{path}?{query}")
    assert answer.status_code in (200, 400), answer.content
    assert answer.status_code == 200 or assert_problem(answer) is None


@pytest.mark.parametrize("kind", ["hosts", "instances", "pools", "volumes", "networks", "tasks"])
def test_an_id_beyond_all_numbers_is_404(reader: Client, kind: str) -> None:
    answer = reader.get(f"{API}{kind}/{HUGE}/")
    assert answer.status_code == 404
    assert_problem(answer)


def test_a_fault_of_our_own_is_a_problem_with_a_reference(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr("api.pagination.Pagination.get_count", broken)
    answer = reader.get(f"{API}instances/")
    assert answer.status_code == 500
    assert_problem(answer)
    assert "secret" not in answer.content.decode()
    assert answer["X-Request-Id"] in answer.json()["detail"]


def test_a_fault_while_an_answer_is_written_is_a_problem_too(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr("rest_framework.renderers.JSONRenderer.render", broken)
    answer = reader.get(f"{API}instances/")
    assert answer.status_code == 500
    assert_problem(answer)
    assert "secret" not in answer.content.decode()
    assert answer["X-Request-Id"] in answer.json()["detail"]


def test_filters_search_and_order_narrow_a_list(world: World, reader: Client) -> None:
    make_instance(world.other_host, "db-1", "running")

    def names(query: str) -> list[str]:
        return [row["name"] for row in reader.get(f"{API}instances/?{query}").json()["results"]]

    assert names("") == ["db-1", "web-1"]
    assert names("ordering=-name") == ["web-1", "db-1"]
    assert names("state=running") == ["db-1"]
    assert names(f"host={world.host.pk}") == ["web-1"]
    assert names(f"search={str(world.instance.uuid)[:13]}") == ["web-1"]
    assert names("limit=1&offset=1") == ["web-1"]
    assert reader.get(f"{API}instances/?limit=1").json()["next"].startswith("http")


def test_every_spelling_of_an_address_answers(world: World, reader: Client) -> None:
    for path in (*LISTS, *details(world)):
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        assert reader.get(API + other).json() == reader.get(API + path).json()


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_however_long_it_is(
    world: World, reader: Client, django_assert_max_num_queries: Any, path: str
) -> None:
    reader.get(API + path)  # the token's first use in this minute is written down
    counts = []
    for many in (5, 45):
        grow(world, many)
        with django_assert_max_num_queries(6) as found:
            assert len(reader.get(f"{API}{path}?limit=500").json()["results"]) >= 1
        counts.append(len(found))
    assert counts[0] == counts[1]


def grow(world: World, many: int) -> None:
    for number in range(many):
        instance = make_instance(world.host, f"g-{many}-{number}")
        make_task(world.admin, instance)
        world.pool.volumes.create(name=f"v-{many}-{number}", path=f"/pool/v-{many}-{number}")


def assert_problem(answer: Any) -> None:
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]


def assert_problem_errors(answer: Any) -> dict[str, list[str]]:
    assert_problem(answer)
    errors: dict[str, list[str]] = answer.json()["errors"]
    return errors


def test_every_address_answers_options_and_head(world: World, reader: Client) -> None:
    for path in (*LISTS, *details(world), f"instances/{world.instance.pk}/start"):
        assert reader.options(API + path).status_code == 204, path
        assert reader.head(API + path).status_code in (200, 405), path


@pytest.mark.parametrize("accept", ["*/*", "application/xml", "image/png", "text/event-stream"])
def test_options_says_which_methods_there_are_in_whatever_form(world: World, reader: Client, accept: str) -> None:
    places = (*LISTS, *details(world), "events", f"instances/{world.instance.pk}/screenshot")
    for place in places:
        answer = reader.options(API + place, headers={"Accept": accept})
        assert answer.status_code in (204, 406), place
        assert answer.status_code == 406 or "GET" in answer["Allow"]


def full(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A database on a full disk: it reads, and writes nothing."""
    if sql.startswith("INSERT"):
        raise OperationalError("database or disk is full")
    return execute(sql, params, many, context)


def test_a_database_that_takes_nothing_is_not_our_own_fault(world: World, reader: Client) -> None:
    words = "Webvirt&#x27;s database does not answer"
    page = world.client("operator")
    with connection.execute_wrapper(full):
        by_api = reader.post(f"{API}instances/{world.instance.pk}/start")
        by_form = page.post(f"/instances/{world.instance.pk}/start/")
        by_button = page.post(f"/instances/{world.instance.pk}/start/", headers={"X-Webvirt-Toast": "1"})
    for answer in (by_api, by_button):
        assert (answer.status_code, answer.json()["title"]) == (503, unescape(words))
    assert by_form.status_code == 503 and words in by_form.content.decode()
    assert Task.objects.get() == world.task


def test_a_statement_that_is_wrong_stays_our_own_fault(world: World, reader: Client) -> None:
    def wrong(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        return execute("SELECT * FROM nothing" if sql.startswith("INSERT") else sql, params, many, context)

    with connection.execute_wrapper(wrong):
        answer = reader.post(f"{API}instances/{world.instance.pk}/start")
    assert answer.status_code == 500
