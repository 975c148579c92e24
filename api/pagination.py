"""Lists answer `{"count", "next", "previous", "results"}`, by `limit` and `offset`."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

MOST_OFFSET = 2**31 - 1  # a database refuses larger numbers
MOST_DIGITS = 18


class Pagination(LimitOffsetPagination):
    """`limit` beyond 500 is 500; what is no number is an error, or a program would take one page for another."""

    default_limit = 50
    max_limit = 500

    def get_limit(self, request: Request) -> int:
        return min(max(number_in(request, "limit", self.default_limit), 1), self.max_limit)

    def get_offset(self, request: Request) -> int:
        return min(number_in(request, "offset", 0), MOST_OFFSET)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limits = {"minimum": 1, "default": self.default_limit}, {"minimum": 0, "default": 0}
        words = "How many at most; beyond 500 it is 500.", "How many of them to leave out at the beginning."
        return [
            {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "integer", **own}}
            for name, text, own in zip(("limit", "offset"), words, limits, strict=True)
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        described["required"] = ["count", "next", "previous", "results"]
        return described


def number_in(request: Request, name: str, without: int) -> int:
    """The whole number of this name in the query string. Raises ValidationError."""
    said = request.query_params.get(name, "")
    if not said:
        return without
    if said.isascii() and said.isdigit():
        return int(said[:MOST_DIGITS])
    raise ValidationError({name: [_("Give a whole number.")]})
