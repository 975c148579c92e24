"""How fast a transfer goes, and how long it still takes."""

import time
from collections import deque

from django.utils.translation import gettext as _

from webvirt.units import duration, size, size_of

WINDOW_SECONDS = 5.0


class Pace:
    """Follows a transfer of `total` bytes; speed is that of the last seconds, not of the whole."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def at(self, done: int) -> tuple[int, str]:
        """Percent and words at `done` bytes: '2.31 of 3.72 GiB · 118 MiB/s · 12 s left'."""
        now = time.monotonic()
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW_SECONDS:
            self._marks.popleft()
        since, before = self._marks[0]
        words = [size_of(done, self.total)]
        if now > since and done > before:
            speed = (done - before) / (now - since)
            left = {"time": duration(max(round((self.total - done) / speed), 0))}
            words += [_("%(speed)s/s") % {"speed": size(speed)}, _("%(time)s left") % left]
        return done * 100 // self.total, " · ".join(words)
