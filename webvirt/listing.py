"""Lists by their query string: sorting, paging, and the rows a live page asks for by id."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

M = TypeVar("M", bound=Model)

SIZES = (25, 50, 100, 200)
DEFAULT_SIZE = 50
MOST_TEXT = 100


def ordered(rows: QuerySet[M], request: HttpRequest, sorts: Mapping[str, Sequence[str]], default: str) -> QuerySet[M]:
    """`rows` by `?sort=key` or `-key`, where `sorts` names the fields of a key; by `default` otherwise."""
    wanted = request.GET.get("sort", default)
    if wanted.removeprefix("-") not in sorts:
        wanted = default
    fields = sorts[wanted.removeprefix("-")]
    return rows.order_by(*(f"-{field}" for field in fields) if wanted.startswith("-") else fields, "pk")


def paged(rows: Sequence[Any] | QuerySet[M], request: HttpRequest, *, size: int = DEFAULT_SIZE) -> Page[Any]:
    """The page `?page=` of `?per_page=` rows; a number that is none, or too large, means the nearest there is."""
    asked = request.GET.get("per_page", "")
    return Paginator(rows, int(asked) if asked in map(str, SIZES) else size).get_page(request.GET.get("page"))


def searched(request: HttpRequest) -> str:
    """The text by which `?q=` narrows, without what no name holds: PostgreSQL refuses to look for a NUL."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:MOST_TEXT]


def wanted_ids(request: HttpRequest) -> set[int] | None:
    """The rows that a live page asks for by `?ids=7,9`; None when it wants all of its page."""
    asked = request.GET.get("ids")
    if asked is None:
        return None
    # Numbers that no database could hold are nobody's ids.
    return {int(id) for id in asked.split(",") if id.isascii() and id.isdigit() and len(id) < 19}
