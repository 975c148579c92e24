"""A line of the checklist, and the time that there is for all of them."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from virt.errors import VirtError


class State(StrEnum):
    """How a line stands; WAITING is shown while those before it are being looked at."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_TRIED = "not_tried"
    WAITING = "waiting"


# The machine on which a command is run.
Where = Literal["", "host", "webvirt"]


@dataclass(frozen=True)
class Line:
    """What was found of one thing.

    `title` says what it is, `detail` why, `hint` what else to look at: templates over `params`, in which a name
    that ends in `_bytes` is a size. `command` has a command a line, of which one is run as root on the machine
    `where`; where systems differ, a comment behind it says for which it is. `libvirt` is what libvirt or ssh said.
    """

    name: str
    state: State
    title: str = ""
    detail: str = ""
    hint: str = ""
    command: str = ""
    where: Where = ""
    params: dict[str, str] = field(default_factory=dict)
    libvirt: str = ""

    @property
    def failed(self) -> bool:
        return self.state is State.FAILED


def ok(name: str, title: str, /, **params: str) -> Line:
    return Line(name, State.OK, title, params=params)


def of_error(name: str, error: VirtError, state: State = State.FAILED) -> Line:
    """What an error says of itself, where nothing better is known."""
    return Line(name, state, error.title, error.detail, error.hint, params=error.params, libvirt=error.libvirt)


def by_system(debian: str, redhat: str) -> str:
    """The commands of both families of systems, where they differ."""
    return f"{debian}  # Debian, Ubuntu\n{redhat}  # RHEL, Fedora"


class Budget:
    """The time that is left for the whole list, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._more = 0.0

    def allow(self, seconds: float) -> None:
        """Let each step from here on take so much longer, for a line or a login that is slow."""
        self._more = max(self._more, seconds)

    def at_most(self, seconds: float) -> float:
        """The deadline of one step: its own with what was allowed besides, or what is left of all."""
        return max(0.1, min(seconds + self._more, self._until - time.monotonic()))
