"""How often a host that cannot be reached is tried."""

import random
import time


class Pace:
    """Each attempt that fails doubles the pause before the next. Seconds.

    An open is given up after `open_seconds`; None is what its transport may need.
    """

    def __init__(self, *, first: float = 0.5, longest: float = 15.0, open_seconds: float | None = None) -> None:
        self.open_seconds = open_seconds
        self._first = first
        self._longest = longest
        self._next = first
        self._began = 0.0

    def begin(self) -> None:
        """An attempt begins."""
        self._began = time.monotonic()

    def forgive(self) -> None:
        """The host is read: when it is lost it is tried again soon."""
        self._next = self._first

    def pause(self) -> float:
        """How long to rest now; no two hosts that were lost together are tried together."""
        # Counted from the attempt's beginning: one against a silent host has taken its time already.
        rest = self._began + self._next * random.uniform(0.75, 1.25) - time.monotonic()  # noqa: S311 - spreads load
        self._next = min(self._longest, self._next * 2)
        return max(self._first, rest)
