"""The OpenAPI document: what every operation has in common is said here once."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from api.fields import Shape, Strict
from api.task_shapes import AcceptedSerializer

F = TypeVar("F", bound=Callable[..., Any])

WORDS = {
    "400": "Something in the request is wrong; `errors` says by field.",
    "401": "Nobody is signed in, or the token is not known.",
    "403": "It may be seen, but this may not be done to it.",
    "404": "It does not exist, or was not granted.",
    "405": "This address has other methods.",
    "406": "No answer in the form that `Accept` asks for.",
    "409": "Its state does not allow it now.",
    "410": "It was there, and is not kept any more.",
    "412": "Another version of tus is spoken here.",
    "413": "The request's body is too large.",
    "414": "The address is longer than 8 KiB.",
    "415": "The request's body is not JSON.",
    "422": "The `Idempotency-Key` came before with another request, or what was sent is refused.",
    "429": "Too many unknown tokens came from this address; `Retry-After` says when to try again.",
    "503": "The host is not connected or does not answer in time; or Webvirt's database takes nothing now.",
    "507": "There is not enough room.",
}
ALWAYS = ("400", "401", "403", "404", "405", "406", "414", "429", "503")
WITH_BODY = ("413", "415")
OF_A_CHANGE = ("409", "413", "415", "422")

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="For 24 h the same key answers the same task; with another request 422. At most 200 characters.",
)


class ProblemSerializer(Shape):
    """application/problem+json (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()


# A serializer has an attribute of this name, so the field cannot be declared in the class.
ProblemSerializer._declared_fields["errors"] = serializers.DictField(
    child=serializers.ListField(child=serializers.CharField()), required=False, help_text="By field."
)


class Schema(AutoSchema):
    """Adds to each operation the problems that it can answer."""

    def get_tags(self) -> list[str]:
        return [self._tokenize_path()[0]]

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        closed = isinstance(serializer, Strict) or (isinstance(serializer, type) and issubclass(serializer, Strict))
        return {**schema, "additionalProperties": False} if closed else schema

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        codes = set(ALWAYS) | set(getattr(self.view, "problems", ()))
        if "202" in bodies:
            codes |= set(OF_A_CHANGE)
        elif self.method in ("POST", "PUT", "PATCH"):
            codes |= set(WITH_BODY)
        problem = self.resolve_serializer(ProblemSerializer, "response").ref
        for code in sorted(codes - set(bodies)):
            bodies[code] = {
                "description": WORDS[code],
                "content": {"application/problem+json": {"schema": problem}},
            }
        return bodies


def changes(request: Any = None, parameters: tuple[OpenApiParameter, ...] = ()) -> Callable[[F], F]:
    """An operation that changes a host: answers 202 with its task and honours the Idempotency-Key."""
    location = OpenApiParameter(
        "Location", OpenApiTypes.URI, OpenApiParameter.HEADER, response=[202], description="The task's address."
    )
    accepted = OpenApiResponse(AcceptedSerializer, description="The change was asked for; its task says how it goes.")
    return extend_schema(
        request=request, responses={202: accepted}, parameters=[IDEMPOTENCY_KEY, location, *parameters]
    )


def without_aliases(endpoints: list[Any]) -> list[Any]:
    """An address is answered with and without its last slash, and documented once."""
    return [endpoint for endpoint in endpoints if not getattr(endpoint[3], "is_alias", False)]
