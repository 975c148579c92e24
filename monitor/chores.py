"""What a reader does again and again, in steps short enough that no event waits for long."""

import time
from collections.abc import Callable, Iterator


class Chore:
    """Work to begin again `seconds` after its last end; `make` gives its steps, each the pause before the next."""

    def __init__(self, seconds: float, make: Callable[[], Iterator[float]], *, first: float = 0.0) -> None:
        self._seconds = seconds
        self._make = make
        self._due = time.monotonic() + first
        self._steps: Iterator[float] | None = None

    def wait(self) -> float:
        """Seconds until its next step is due."""
        return max(0.0, self._due - time.monotonic())

    def step(self) -> None:
        """Do the next step where one is due; what that raises ends this round of it."""
        if self.wait() > 0:
            return
        self._due = time.monotonic() + self._seconds
        steps, self._steps = self._steps or self._make(), None
        for pause in steps:
            self._steps = steps
            self._due = time.monotonic() + pause
            return
