"""Calls that end at their deadline, whatever they wait for."""

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from virt import transport
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.errors import TimedOut, VirtError

T = TypeVar("T")

# How long a call may take to notice that its transport was cut.
_GRACE_SECONDS = 1.0
CLOSE_SECONDS = 2.0


class Stuck(TimedOut):
    """The call goes on, though its transport was cut: what it uses may not be freed."""


def within(seconds: float, call: Callable[[], T], *, cut: Callable[[], None] | None = None) -> T:
    """What `call` returns, which runs in a thread of its own.

    TimedOut after `seconds`, when `cut` is called to end it; Stuck where that does not.
    """
    answers: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(call())
        except Exception as error:  # noqa: BLE001 - the thread that waits raises it
            errors.append(error)

    thread = threading.Thread(target=run, name="checklist", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        if cut is not None:
            cut()
            thread.join(_GRACE_SECONDS)
        raise Stuck() if thread.is_alive() else TimedOut()
    if errors:
        raise errors[0]
    return answers[0]


class Asked:
    """A connection that is opened and asked within deadlines. Raises what `open_connection` raises."""

    def __init__(self, access: Access, seconds: float) -> None:
        self._access = access
        # A name that is forgotten at this very moment leaves a call that hangs to libvirt's keepalive.
        self._addresses: frozenset[str] = frozenset()
        with suppress(OSError):
            self._addresses = transport.resolve(transport.endpoint(access.uri))
        before = frozenset(transport.sockets().values())
        self.connection = open_connection(access, timeout=seconds)
        self._own = frozenset(transport.sockets().values()) - before
        self._is_stuck = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # libvirt frees a connection at its closing, also under a call that still uses it.
        if not self._is_stuck:
            # What was found stands, however it ends.
            with suppress(VirtError):
                within(CLOSE_SECONDS, self.connection.close, cut=self._cut)

    def ask(self, seconds: float, call: Callable[[Connection], T]) -> T:
        """Ask the host; a call that takes longer is cut, and the connection with it. Raises VirtError."""
        try:
            return within(seconds, lambda: call(self.connection), cut=self._cut)
        except Stuck:
            self._is_stuck = True
            raise

    def _cut(self) -> None:
        others = frozenset(transport.sockets().values()) - self._own
        transport.cut(self._access, self._addresses, others)
