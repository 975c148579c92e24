"""A host's connection as the monitor holds it: every call goes through it, and none may hang."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Concatenate, ParamSpec, TypeVar

from virt import transport
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.errors import PartAway, TimedOut, Unreachable, VirtError
from virt.events import Event, subscribe

P = ParamSpec("P")
T = TypeVar("T")

# With a call every 5 s at least, a host that falls silent is noticed within 5 + 7 s; libvirt's own keepalive
# takes up to 15.
CALL_SECONDS = 7.0
# libvirtd serves five calls of a connection at a time, and answers no keepalive while there are as many.
MOST_ASIDE = 4
CLOSE_SECONDS = 2.0
BROKEN = {"keepalive": TimedOut, "error": Unreachable, "eof": Unreachable, "client": Unreachable}


class Link:
    """An open connection. One thread calls; another may look whether a call is overdue, and cut it.

    Calls `aside` run in threads of their own: what waits for a single QEMU, or for a pool's storage, may wait
    for good. `note` hears of events; without it there are none.
    """

    def __init__(
        self,
        access: Access,
        *,
        note: Callable[[Event], None] | None,
        closed: Callable[[], None],
        timeout: float | None = None,
    ) -> None:
        self._access = access
        before = frozenset(transport.sockets().values())
        self._connection = open_connection(access, timeout=timeout)
        self._own = frozenset(transport.sockets().values()) - before
        self._addresses = transport.resolve(transport.endpoint(access.uri))
        self._closed = closed
        self._reason = ""
        self._due: float | None = None
        self._was_cut = False
        self._closing = False
        self._aside: list[tuple[str, Future[Any]]] = []
        self._threads = ThreadPoolExecutor(MOST_ASIDE, thread_name_prefix="aside")
        self.answered_at = time.time()
        try:
            self._connection.on_close(self._on_close)
            self._subscription = self.call(subscribe, note) if note else None
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

    def aside(
        self, kind: str, ask: Callable[[Connection], T], then: Callable[[Future[T]], None], *, most: int = 1
    ) -> bool:
        """Ask without waiting; whether it was asked: not while `most` calls of this kind still wait, nor when closed.

        `then` is called with the answer, in the thread that asked; not where it was closed before it could ask.
        """
        self._aside = [(name, call) for name, call in self._aside if not call.done()]
        if self._closing or sum(name == kind for name, _call in self._aside) >= most:
            return False
        future = self._threads.submit(ask, self._connection)
        self._aside.append((kind, future))
        future.add_done_callback(lambda answer: None if answer.cancelled() else then(answer))
        return True

    @property
    def is_alive(self) -> bool:
        # Where virtproxyd stands before virtqemud its own connection outlives that one's end, of which it tells.
        return not self._was_cut and not self._reason and self._connection.is_alive()

    @property
    def away(self) -> list[PartAway]:
        """The parts of the host's libvirt that did not run when it was opened: it hears of no events of these."""
        return self._subscription.away if self._subscription else []

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
        transport.cut(self._access, self._addresses, others)

    def close(self) -> None:
        """Close it all. Raises VirtError."""
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        waiting = [call for _kind, call in self._aside if not call.done()]
        if waiting:
            self.cut()
            if wait(waiting, timeout=CLOSE_SECONDS).not_done:
                # libvirt frees a connection at its closing, also under a call that still uses it.
                return
        if self._subscription:
            self._subscription.close()
        self._connection.close()
