"""Lists answer `{"count", "next", "previous", "results"}`, by `limit` and `offset`."""

from typing import Any

from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

MOST_OFFSET = 2**31 - 1  # a database refuses larger numbers


class Pagination(LimitOffsetPagination):
    default_limit = 50
    max_limit = 500

    def get_offset(self, request: Request) -> int:
        return min(super().get_offset(request), MOST_OFFSET)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        described["required"] = ["count", "next", "previous", "results"]
        return described
