"""Calls that may wait for storage, one after another beside the reader, which goes on meanwhile."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from monitor.intake import Intake
from monitor.link import Link
from virt.connection import Connection

Ask = Callable[[Connection], Any]


def nothing_more(answer: Future[Any]) -> None:
    """Take in an answer that holds nothing. Raises what the call raised."""
    answer.result()


@dataclass(frozen=True)
class Errand:
    """`prepare` gives the call when the turn has come, or None where there is nothing to ask (any more).

    `prepare` and `take_in` are called by the reader; either may raise what `Future.result` raises.
    """

    prepare: Callable[[], Ask | None]
    take_in: Callable[[Future[Any]], None] = nothing_more


class Errands:
    """A line of errands of one connection, of which one runs."""

    def __init__(self, link: Link, intake: Intake) -> None:
        self._link = link
        self._intake = intake
        self._line: deque[Errand] = deque()
        self._runs = False

    @property
    def is_idle(self) -> bool:
        return not self._runs and not self._line

    def add(self, errands: Iterable[Errand], *, first: bool = False) -> None:
        """Put these at the line's end, or in front of all that wait."""
        if first:
            self._line.extendleft(reversed(list(errands)))
        else:
            self._line.extend(errands)
        self._go_on()

    def _go_on(self) -> None:
        while self._line and not self._runs:
            errand = self._line.popleft()
            ask = errand.prepare()
            if ask is not None:
                self._runs = self._link.aside("errand", ask, partial(self._come_back, errand))

    def _come_back(self, errand: Errand, answer: Future[Any]) -> None:
        self._intake.answered(partial(self._end, errand, answer))

    def _end(self, errand: Errand, answer: Future[Any]) -> None:
        self._runs = False
        try:
            errand.take_in(answer)
        finally:
            self._go_on()
