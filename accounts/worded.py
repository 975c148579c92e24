"""Questions about what somebody may see, worded once.

To turn a queryset into SQL takes longer than SQLite takes to answer it. The words depend on nothing but the question
and where the user's grants lead, so they are kept; answers never are.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet

from accounts.rights import Reach

M = TypeVar("M", bound=Model)

MOST_KEPT = 5000

Words = tuple[str, tuple[Any, ...]]

_kept: dict[tuple[Any, ...], Words | None] = {}


def words(name: str, user: Any, question: Callable[[], QuerySet[Any, Any]]) -> Words | None:
    """The SQL of the queryset that `question` makes, and its parameters; None where it can find nothing.

    `question` is called the first time alone: what it makes may depend on `name` and on what `user` may see, and on
    nothing else.
    """
    key = (name, user.pk, user.is_active, None if user.is_superuser else Reach.of(user))
    with suppress(KeyError):
        return _kept[key]
    try:
        found: Words | None = question().query.sql_with_params()
    except EmptyResultSet:
        found = None
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = found
    return found


def values(name: str, user: Any, question: Callable[[], QuerySet[Any, Any]]) -> list[tuple[Any, ...]]:
    """What a queryset of `values_list` finds, as the database has it."""
    asked = words(name, user, question)
    if asked is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(*asked)
        return list(cursor.fetchall())


def rows(model: type[M], name: str, user: Any, question: Callable[[], QuerySet[M]]) -> list[M]:
    """The rows of one model that a queryset finds."""
    asked = words(name, user, question)
    return list(model._default_manager.raw(*asked)) if asked else []
