"""The parts of a host's libvirt, each of which may be away while the host is up."""

from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial

from monitor import status
from monitor.intake import Intake
from monitor.link import Link
from virt import parts
from virt.errors import PartAway, VirtError

LOOK_SECONDS = 10.0


class Renew(Exception):
    """A part has ended or come back: the host is up, and its connections have to be made anew to hear of it."""


class Parts:
    """Which parts of a host did not run when `link` was opened; `look` asks whether it is so still."""

    def __init__(self, host_id: int, link: Link, intake: Intake) -> None:
        self._intake = intake
        found = [error for error in link.away if error.part in parts.WATCHED]
        self._away = {error.part for error in found}
        status.parts_away(host_id, found)

    def look(self, beside: Link) -> Iterator[float]:
        beside.aside("parts", parts.away, lambda answer: self._intake.answered(partial(self._looked, answer)))
        return iter(())

    def _looked(self, answer: Future[list[PartAway]]) -> None:
        if {error.part for error in answer.result()} != self._away:
            raise Renew

    def judge(self, error: VirtError) -> bool:
        """Whether it comes of a part that is known to be away; Renew where it tells of a change."""
        if parts.has_ended(error):
            raise Renew from error
        if not isinstance(error, PartAway):
            return False
        if error.part in parts.WATCHED - self._away:
            raise Renew from error
        return True
