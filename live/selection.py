"""What of a batch a user may hear."""

from typing import Any

from django.contrib.auth import get_user_model

from live.reader import Batch
from live.registry import TYPES

Change = dict[str, str | int]


def for_user(user_id: int, batch: Batch, known: dict[str, set[int]]) -> list[Change] | None:
    """The changes that this user may see; None when the user may no longer come in.

    Rights are read again at each batch. `known` holds the ids a socket has been told of before:
    the removal of one of those is told, of others nothing, since their rows can no longer be asked.
    """
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    told: list[Change] = []
    for type, changes in batch.by_type().items():
        live_type = TYPES.get(type)
        if live_type is None:
            continue
        seen = live_type.visible(user, [id for id, change in changes.items() if change != "removed"])
        before = known.setdefault(type, set())
        for id, change in changes.items():
            if id in seen or (change == "removed" and (user.is_superuser or id in before)):
                told.append({"type": type, "id": id, "change": change})
            elif id in before:
                told.append({"type": type, "id": id, "change": "removed"})
        before |= seen
        before -= {id for id, change in changes.items() if change == "removed"}
    return told


def figures_for(user_id: int, wanted: dict[str, set[int]]) -> dict[str, dict[str, Any]]:
    """The latest figures of the subscribed objects, each only where the user may see it."""
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    answer: dict[str, dict[str, Any]] = {}
    for type, ids in wanted.items():
        live_type = TYPES.get(type)
        if user is None or live_type is None or live_type.figures is None or not ids:
            continue
        found = live_type.figures(live_type.visible(user, ids))
        answer[type] = {str(id): values for id, values in found.items()}
    return answer
