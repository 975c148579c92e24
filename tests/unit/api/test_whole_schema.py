"""Whatever is sent to the API, right or wrong, is answered as its document says, and by no fault of our own."""

from typing import Any
from zlib import crc32

import pytest
import redis
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.openapi import from_wsgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import ApiToken
from storage.uploads import create_upload
from tests.unit.api.test_docs import OPERATIONS
from tests.unit.world import World

EXAMPLES = 12
AS_DOCUMENTED = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# A stream that does not end: tests/unit/live/test_stream.py.
ENDLESS = "/api/v1/events"


@pytest.fixture
def document(world: World, redis_server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The API as documented, asked for what is there three times of four: at random nearly all would be 404."""
    monkeypatch.setattr("api.tasks.LONGEST_WAIT", 0.1)
    rows = {
        "hosts": world.host, "instances": world.instance, "networks": world.network, "pools": world.pool,
        "tasks": world.task, "volumes": world.volume,
        "tokens": ApiToken.issue(user=world.admin, name="old", scope=ApiToken.Scope.READ)[0],
        "uploads": create_upload(owner=world.admin, pool=world.pool, filename="new.iso", length=5),
    }  # fmt: skip
    schema = from_wsgi("/api/v1/schema/", WSGIHandler())

    @schema.hook
    def map_path_parameters(context: Any, path_parameters: dict[str, Any]) -> dict[str, Any]:
        kind = context.operation.path.split("/")[3]
        there = path_parameters and kind in rows and crc32(str(path_parameters).encode()) % 4
        return {**path_parameters, "id": rows[kind].pk} if there else path_parameters

    return schema


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method, _ in OPERATIONS if path != ENDLESS])
def test_every_answer_is_as_documented(
    path: str, method: str, mode: GenerationMode, document: Any, world: World
) -> None:
    token = world.token("admin")

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 503:
            case.validate_response(answer, checks=[not_a_server_error])
        case.validate_response(answer, checks=AS_DOCUMENTED)

    ask()
