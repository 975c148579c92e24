"""What the higher rooms tell the live channel about their types, in their AppConfig.ready()."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Visible = Callable[[Any, Iterable[int]], set[int]]
Figures = Callable[[Iterable[int]], dict[int, dict[str, float | None]]]


@dataclass(frozen=True)
class LiveType:
    """A type of object on the channel.

    `visible(user, ids)` is the subset of ids the user may see; `figures(ids)` are the latest values of
    those a page subscribed to.
    """

    name: str
    visible: Visible
    figures: Figures | None = None


TYPES: dict[str, LiveType] = {}


def register(live_type: LiveType) -> None:
    TYPES[live_type.name] = live_type


def register_model(name: str, model: Any, figures: Figures | None = None) -> None:
    """Register a type whose rows' queryset has `visible_to(user)`."""

    def visible(user: Any, ids: Iterable[int]) -> set[int]:
        wanted = list(ids)
        return (
            set(model.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
        )

    register(LiveType(name, visible, figures))
