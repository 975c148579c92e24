"""What the higher rooms tell the live channel about their types, in their AppConfig.ready()."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from accounts.rights import Ref

Visible = Callable[[Any, Iterable[int]], set[int]]
Every = Callable[[Any], set[int]]
Find = Callable[[Iterable[Ref]], dict[Ref, int]]
Figures = Callable[[Iterable[int]], dict[int, dict[str, float | None]]]


@dataclass(frozen=True)
class LiveType:
    """A type of object on the channel.

    `visible(user, ids)` is the subset of ids the user may see; `find(refs)` are the ids of the rows that
    are named so, where there are any; `figures(ids)` are the latest values of those a page subscribed to.
    `every(user)` are all ids the user may see, for types whose rows are ever removed.
    """

    name: str
    visible: Visible
    find: Find
    figures: Figures | None = None
    every: Every | None = None


TYPES: dict[str, LiveType] = {}


def register(live_type: LiveType) -> None:
    TYPES[live_type.name] = live_type


def register_model(
    name: str,
    model: Any,
    figures: Figures | None = None,
    *,
    host: str = "host_id",
    uuid: str | None = "uuid",
    own_name: str | None = None,
    kept: bool = False,
) -> None:
    """Register a type whose rows' queryset has `visible_to(user)`.

    `host`, `uuid` and `own_name` are the lookups from a row to what a Ref says of it; None where it says nothing.
    `kept` rows are never removed.
    """

    def visible(user: Any, ids: Iterable[int]) -> set[int]:
        wanted = list(ids)
        return (
            set(model.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
        )

    def find(refs: Iterable[Ref]) -> dict[Ref, int]:
        # Asked by the columns apart and paired here: a condition of 500 pairs is too deep for SQLite.
        said = {ref: (ref.host_id, *([ref.uuid] if uuid else []), *([ref.name] if own_name else [])) for ref in refs}
        lookups = [lookup for lookup in (host, uuid, own_name) if lookup]
        near = {f"{lookup}__in": {values[place] for values in said.values()} for place, lookup in enumerate(lookups)}
        rows = {tuple(row[1:]): row[0] for row in model.objects.filter(**near).values_list("pk", *lookups)}
        return {ref: rows[values] for ref, values in said.items() if values in rows}

    def every(user: Any) -> set[int]:
        return set(model.objects.visible_to(user).values_list("pk", flat=True))

    register(LiveType(name, visible, find, figures, None if kept else every))
