"""The OpenAPI document, and a page that people read."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView

METHODS = ("get", "head", "post", "put", "patch", "delete")


class OpenApi(SpectacularAPIView):
    """OpenAPI 3, as JSON or by `Accept: application/yaml` as YAML."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer]


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """Every operation of the API, written from the OpenAPI document."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    context = {"groups": groups_of(document), "base": request.build_absolute_uri("/api/v1/")}
    return render(request, "api/docs.html", context)


Operation = dict[str, Any]


def groups_of(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """The operations by the first word of their path, as the page shows them."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = described(methods[method], document["components"]["schemas"])
                found.setdefault(methods[method]["tags"][0], []).append(
                    {"method": method.upper(), "path": path, **operation}
                )
    return found


def described(operation: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("schema", {})
    answers = [(code, told["description"], shape_name(told)) for code, told in sorted(operation["responses"].items())]
    return {
        "text": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "fields": list(fields_of(body, schemas)),
        "answers": answers,
    }


def fields_of(schema: dict[str, Any], schemas: dict[str, Any], path: str = "") -> Iterator[dict[str, Any]]:
    """The fields of a request's body, those of objects within it as `disks.pool`."""
    schema = resolved(schema, schemas)
    for name, own in schema.get("properties", {}).items():
        inner = resolved(own, schemas)
        full = f"{path}{name}"
        yield {
            "name": full,
            "type": inner.get("type", ""),
            "required": name in schema.get("required", []),
            "default": inner.get("default", own.get("default")),
            "choices": inner.get("enum", []),
            "text": own.get("description") or inner.get("description", ""),
        }
        yield from fields_of(inner.get("items", inner), schemas, f"{full}.")


def resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where it is a reference or wraps one."""
    one = next(iter(schema.get("allOf") or schema.get("oneOf") or ()), schema)
    return schemas[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one


def shape_name(answer: dict[str, Any]) -> str:
    """The name of the shape that an answer has; "" for a problem, or for none."""
    for kind, told in answer.get("content", {}).items():
        if kind != "application/problem+json":
            return str(told["schema"].get("$ref", "").rsplit("/", 1)[-1]) or kind
    return ""
