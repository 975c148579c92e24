"""The fence before inventory: a monitor that lost a host without knowing it yet writes nothing of it.

A lease alone is no more than a look at the clock before a write; a process can be stopped between the two. So
whoever takes a host says so in the database itself, and each transaction asks there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import Error as DatabaseFault
from django.db import connection, transaction

from monitor.members import me
from monitor.models import Watch

# SQLite has one writer at a time, and who waits for it tries again and again, in no order: of a hundred some starve.
_turn = threading.Lock()


class Fenced(DatabaseFault):
    """Another monitor has taken the host since."""


def take(host_id: int) -> None:
    """From here on only this monitor writes of the host. Raises django.db.Error."""
    with _transaction():
        Watch.objects.update_or_create(host_id=host_id, defaults={"holder": me()})


@contextmanager
def writing(host_id: int) -> Iterator[None]:
    """A transaction that writes of a host; Fenced, and nothing is written, where another monitor took it."""
    with _transaction():
        # The row stays as it is until the commit: SQLite has one writer at a time, PostgreSQL locks it.
        watch = Watch.objects.select_for_update(no_key=True).filter(host_id=host_id).first()
        if watch is not None and watch.holder != me():
            raise Fenced(f"another monitor has taken host {host_id}")
        yield


@contextmanager
def _transaction() -> Iterator[None]:
    with _turn if connection.vendor == "sqlite" else nullcontext(), transaction.atomic():
        yield
