"""Whether an error says that the database cannot serve just now, in which no code of ours is at fault."""

import sqlite3

from django.db import OperationalError

# SQLite has one kind of error for these and for a statement that is wrong.
_AWAY = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip


def is_away(error: BaseException | None) -> bool:
    """Whether the database was locked, full or not to be reached."""
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    # The low byte is the kind, the others tell more of it.
    return code is None or code & 0xFF in _AWAY
