"""What of a batch a user may hear."""

from typing import Any

from accounts.rights import read_once
from accounts.sessions import person_of
from live.reader import Batch
from live.registry import TYPES

Change = dict[str, str | int]


Known = dict[str, set[int]]


def seen_by(session_key: str | None) -> Known:
    """What the user of this session may see as a socket opens."""
    return known_to(person_of(session_key))


@read_once()
def known_to(user: Any) -> Known:
    """What the user may see now, so that its removal can be told later.

    An admin is told of every removal, and needs no such list.
    """
    if user.is_superuser:
        return {}
    return {type.name: type.every(user) for type in TYPES.values() if type.every is not None}


def for_session(session_key: str | None, batch: Batch, known: Known) -> list[Change] | None:
    """The changes that the user of this session may see; None when it has ended, or its user may not come in."""
    return for_user(person_of(session_key), batch, known)


@read_once()
def for_user(user: Any, batch: Batch, known: Known) -> list[Change] | None:
    """The changes that the user may see; None for nobody.

    Rights are read again at each batch. `known` holds the ids that the user could see before: the
    removal of one of those is told, of others nothing, since their rows can no longer be asked.
    """
    if not user.is_authenticated:
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


@read_once()
def figures_for(session_key: str | None, wanted: dict[str, set[int]]) -> dict[str, dict[str, Any]]:
    """The latest figures of the subscribed objects, each only where the user of this session may see it."""
    user = person_of(session_key)
    answer: dict[str, dict[str, Any]] = {}
    for type, ids in wanted.items():
        live_type = TYPES.get(type)
        if live_type is None or live_type.figures is None or not ids:
            continue
        found = live_type.figures(live_type.visible(user, ids))
        answer[type] = {str(id): values for id, values in found.items()}
    return answer
