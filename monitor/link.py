"""A host's connection as the monitor holds it: every call goes through it, and none may hang."""

import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from virt import transport
from virt.connection import Connection, open_connection
from virt.errors import TimedOut, Unreachable, VirtError
from virt.events import Event, subscribe

P = ParamSpec("P")
T = TypeVar("T")

OPEN_SECONDS = 10.0
# With figures read every 5 s, a host that falls silent is noticed within 5 + 8 s at the latest; libvirt's own
# keepalive takes up to 15.
CALL_SECONDS = 8.0
BROKEN = {"keepalive": TimedOut, "error": Unreachable, "eof": Unreachable, "client": Unreachable}


class Link:
    """An open connection. One thread calls; another may look whether a call is overdue, and cut it."""

    def __init__(self, uri: str, *, note: Callable[[Event], None], closed: Callable[[], None]) -> None:
        self._peer = transport.endpoint(uri)
        before = frozenset(transport.sockets().values())
        self._connection = open_connection(uri, timeout=OPEN_SECONDS)
        self._own = frozenset(transport.sockets().values()) - before
        self._closed = closed
        self._reason = ""
        self._due: float | None = None
        self._was_cut = False
        self.answered_at = time.time()
        try:
            self._connection.on_close(self._on_close)
            self._subscription = self.call(subscribe, note)
        except BaseException:
            self._connection.close()
            raise

    def _on_close(self, reason: str) -> None:
        self._reason = reason
        self._closed()

    def call(self, ask: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the host; a call that takes longer than `CALL_SECONDS` is cut. Raises VirtError."""
        return self.long_call(CALL_SECONDS, ask, *args, **kwargs)

    def long_call(
        self, seconds: float, ask: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Ask what may honestly take up to `seconds`; a host that is silent meanwhile ends it by keepalive."""
        self._due = time.monotonic() + seconds
        try:
            answer = ask(self._connection, *args, **kwargs)
        except VirtError as error:
            if not self.is_alive:
                raise self.breakage(str(error)) from error
            self.answered_at = time.time()
            raise
        finally:
            self._due = None
        self.answered_at = time.time()
        return answer

    @property
    def is_alive(self) -> bool:
        return not self._was_cut and self._connection.is_alive()

    @property
    def is_asking(self) -> bool:
        """Whether a call runs now."""
        return self._due is not None

    @property
    def is_overdue(self) -> bool:
        """Whether the call that runs now should have been answered."""
        due = self._due
        return due is not None and time.monotonic() > due

    def breakage(self, words: str = "") -> Unreachable:
        """Why the connection is broken; `words` are what libvirt said."""
        kind = TimedOut if self._was_cut else BROKEN.get(self._reason, Unreachable)
        return kind(libvirt=words)

    def cut(self) -> None:
        """Shut the transport, so that the call in flight ends at once. Called from another thread."""
        self._was_cut = True
        others = frozenset(transport.sockets().values()) - self._own
        transport.cut(self._peer, transport.resolve(self._peer), others)

    def close(self) -> None:
        self._subscription.close()
        self._connection.close()
