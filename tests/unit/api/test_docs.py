"""The API's documentation: every operation is there, and says what it can answer."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.unit.world import World

OPERATIONS = [
    (path, method, operation)
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items()
    for method, operation in methods.items()
]


def test_the_document_is_valid_and_has_no_warnings(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_operation_says_in_words_what_it_does_and_how_it_fails(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["description"]
    answers = operation["responses"]
    assert {"400", "401", "403", "404", "405", "406", "414", "429", "503"} <= set(answers)
    if "requestBody" in operation:
        assert {"413", "415"} <= set(answers)
    if "202" in answers:
        assert {"409", "422"} <= set(answers)
        assert "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]]
        assert "Location" in answers["202"]["headers"]


def test_the_keys_that_a_host_shows_are_all_told_and_no_page_of_a_list() -> None:
    (told,) = [operation for path, _method, operation in OPERATIONS if path == "/api/v1/hosts/{id}/offered-keys"]
    assert told["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert {parameter["name"] for parameter in told["parameters"]} == {"id"}


def test_every_change_of_a_host_is_a_202() -> None:
    own = {"/api/v1/hosts/", "/api/v1/hosts/{id}/", "/api/v1/hosts/{id}/trust-key"}
    own |= {"/api/v1/uploads/", "/api/v1/uploads/{id}/", "/api/v1/tasks/{id}/cancel"}
    own |= {"/api/v1/instances/{id}/console", "/api/v1/tokens/", "/api/v1/tokens/{id}/"}
    found = {path for path, method, operation in OPERATIONS if method != "get" and "202" not in operation["responses"]}
    assert found == own


def test_the_document_comes_as_json_or_yaml(db: None) -> None:
    assert Client().get("/api/v1/schema/").json()["openapi"].startswith("3.")
    answer = Client().get("/api/v1/schema/", headers={"Accept": "application/yaml"})
    assert answer.content.startswith(b"openapi:")


def test_the_page_lists_every_operation(world: World) -> None:
    text = world.client("viewer").get("/api/v1/docs/").content.decode()
    for path, method, _operation in OPERATIONS:
        assert f'{method.upper()}</b> <span class="mono text-break">{path}</span>' in text
    assert "disks.size_bytes" in text
