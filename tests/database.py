"""SQLite in memory, made to wait as SQLite in a file does.

Threads of a test share their database by SQLite's shared cache, in which a table that another thread uses just now is
refused at once, whatever the timeout (https://www.sqlite.org/unlock_notify.html). In production it is waited for.
"""

import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from webvirt.settings import SQLITE_OPTIONS

INTERVAL = 0.005
TIMEOUT = float(SQLITE_OPTIONS["timeout"])


def wait_while_locked(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """An execute wrapper of Django's; OperationalError after `TIMEOUT` seconds, as production has it."""
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= until:
                raise
        time.sleep(INTERVAL)


def _wrap(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if wait_while_locked not in connection.execute_wrappers:
        connection.execute_wrappers.append(wait_while_locked)


def install() -> None:
    """Every connection that is made from now on waits."""
    connection_created.connect(_wrap, dispatch_uid="tests.database")
