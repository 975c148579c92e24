"""Waiting for what happens elsewhere, with a deadline instead of a pause."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError

T = TypeVar("T")

INTERVAL = 0.02


def wait_for(condition: Callable[[], T], timeout: float = 10.0) -> T:
    """The first true value of `condition`; AssertionError with its name after `timeout` seconds.

    A table of the database in memory that another thread writes just now cannot be read, and is not waited for by
    SQLite: such a condition is not true yet.
    """
    until = time.monotonic() + timeout
    while True:
        locked: OperationalError | None = None
        try:
            value = condition()
        except OperationalError as error:
            locked = error
        else:
            if value:
                return value
        if time.monotonic() >= until:
            raise AssertionError(f"not within {timeout} s: {getattr(condition, '__qualname__', condition)}") from locked
        time.sleep(INTERVAL)
