"""Waiting for what happens elsewhere, with a deadline instead of a pause."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

INTERVAL = 0.02
# Only a broken thing takes so long, also on a machine that has much else to do.
PATIENCE = 30.0


def wait_for(condition: Callable[[], T], timeout: float = PATIENCE) -> T:
    """The first true value of `condition`; AssertionError with its name after `timeout` seconds."""
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= until:
            raise AssertionError(f"not within {timeout} s: {getattr(condition, '__qualname__', condition)}")
        time.sleep(INTERVAL)
