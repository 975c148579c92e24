"""Calls that end at their deadline, whatever they wait for."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from virt import transport
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.errors import TimedOut

T = TypeVar("T")

# How long a call may take to notice that its transport was cut.
_GRACE_SECONDS = 1.0


def within(seconds: float, call: Callable[[], T], *, cut: Callable[[], None] | None = None) -> T:
    """What `call` returns; TimedOut after `seconds`, when `cut` is called to end it. It runs in its own thread."""
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
        raise TimedOut()
    if errors:
        raise errors[0]
    return answers[0]


class Asked:
    """A connection that is opened and asked within deadlines. Raises what `open_connection` raises."""

    def __init__(self, access: Access, seconds: float) -> None:
        self._access = access
        before = frozenset(transport.sockets().values())
        self.connection = open_connection(access, timeout=seconds)
        self._own = frozenset(transport.sockets().values()) - before
        self._addresses = transport.resolve(transport.endpoint(access.uri))
        self._was_cut = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # libvirt frees a connection at its closing, also under a call that was cut and still uses it.
        if not self._was_cut:
            self.connection.close()

    def ask(self, seconds: float, call: Callable[[Connection], T]) -> T:
        """Ask the host; a call that takes longer is cut, and the connection with it. Raises VirtError."""
        return within(seconds, lambda: call(self.connection), cut=self._cut)

    def _cut(self) -> None:
        self._was_cut = True
        others = frozenset(transport.sockets().values()) - self._own
        transport.cut(self._access, self._addresses, others)
