"""Writing inventory: only rows that differ, few at a time, and the news of them after the commit."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model

from instances.models import Instance
from live.channel import publish
from monitor import fence
from networks.models import Network
from storage.models import Pool, Volume

MOST_A_TRANSACTION = 500
LIVE_TYPES: dict[type[Model], str] = {Instance: "instance", Pool: "pool", Volume: "volume", Network: "network"}

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


class Changes:
    """Rows of a host to add, change and remove, gathered while it is read and then written by `commit`."""

    def __init__(self, host_id: int) -> None:
        self._host_id = host_id
        self._writes: list[Callable[[], object]] = []
        self._news: list[tuple[Model, str]] = []
        self._told: dict[tuple[str, int, str], None] = {}

    def add(self, row: Model) -> None:
        self._writes.append(row.save)
        self._news.append((row, "added"))

    def change(self, row: Model, values: dict[str, Any]) -> list[str]:
        """Set what differs, and return the names of those fields; nothing is written where nothing does."""
        fields = [name for name, value in values.items() if getattr(row, name) != value]
        for name in fields:
            setattr(row, name, values[name])
        if fields:
            self._writes.append(lambda: row.save(update_fields=fields))
            self._news.append((row, "changed"))
        return fields

    def remove(self, rows: Iterable[Model]) -> None:
        for row in rows:
            # Deleting sets the row's id to None, which the news still needs.
            self.tell(type(row), row.pk, "removed")
            self._writes.append(row.delete)

    def write(self, write: Callable[[], object]) -> None:
        """Do one more write in the same transaction, of rows that no page shows by themselves."""
        self._writes.append(write)

    def tell(self, model: type[Model], pk: int, change: str = "changed") -> None:
        """Tell the open pages that what this row shows has changed, after the commit."""
        if model in LIVE_TYPES:
            self._told[LIVE_TYPES[model], pk, change] = None

    def commit(self) -> None:
        """Write, at most 500 rows a transaction, then publish. Raises django.db.Error."""
        for batch in batches(self._writes, MOST_A_TRANSACTION):
            with fence.writing(self._host_id):
                for write in batch:
                    write()
        for row, change in self._news:
            self.tell(type(row), row.pk, change)
        for type_, pk, change in self._told:
            publish(type_, pk, change)
