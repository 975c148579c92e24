"""Connections to a host's libvirt, opened within a deadline."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import libvirt

from virt import knock, transport
from virt.access import Access
from virt.errors import TimedOut, Unreachable, Unsupported
from virt.loop import start_event_loop
from virt.opening import at_named_socket
from virt.translate import translate, translated_errors
from virt.words import gettext_noop

_KEEPALIVE_SECONDS = 5
_KEEPALIVE_MISSES = 2
# How long after the cut a stuck open may take to give up before it is left to itself.
_GRACE_SECONDS = 1.0
# An address that has not answered after one to two of these is passed over, where the host has another.
_PATIENCE_SECONDS = 1.0
OPEN_SECONDS = 10.0
# ssh agrees on keys, signs in and starts a program before libvirt says its first word.
SSH_SECONDS = 20.0

_CLOSE_REASONS = {
    libvirt.VIR_CONNECT_CLOSE_REASON_ERROR: "error",
    libvirt.VIR_CONNECT_CLOSE_REASON_EOF: "eof",
    libvirt.VIR_CONNECT_CLOSE_REASON_KEEPALIVE: "keepalive",
    libvirt.VIR_CONNECT_CLOSE_REASON_CLIENT: "client",
}


class Connection:
    """An open connection; made by `open_connection`, closed by `close` or a `with` block.

    `driver` is libvirt's name for what it manages ("QEMU", "TEST"), `lib_version` the version of
    the libvirt on the host (major * 1,000,000 + minor * 1,000 + release). `handle` is libvirt's
    own object, for the modules of virt alone.
    """

    def __init__(self, uri: str, handle: libvirt.virConnect) -> None:
        self.uri = uri
        self.handle = handle
        self._watched = False
        with translated_errors():
            self.driver: str = handle.getType()
            self.lib_version: int = handle.getLibVersion()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @translated_errors()
    def close(self) -> None:
        """Close the connection (virConnectClose); a second close does nothing."""
        if self.handle is not None:
            handle, self.handle = self.handle, None
            if self._watched:
                # A callback left behind would keep the connection and its socket. On a broken one libvirt
                # lets go of it and then says that there is nobody to tell.
                with suppress(libvirt.libvirtError):
                    handle.unregisterCloseCallback()
            handle.close()

    def is_alive(self) -> bool:
        """Say whether the transport still stands (virConnectIsAlive; asks nobody)."""
        if self.handle is None:
            return False
        with translated_errors():
            return bool(self.handle.isAlive())

    @translated_errors()
    def on_close(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with error, eof, keepalive or client when the connection breaks.

        It is called in the event loop's thread and must not call libvirt. Does nothing for drivers
        that have no transport (virConnectRegisterCloseCallback).
        """

        def closed(handle: libvirt.virConnect, reason: int, opaque: None) -> None:
            callback(_CLOSE_REASONS.get(reason, "error"))

        self.handle.registerCloseCallback(closed, None)
        self._watched = True

    def domain(self, uuid: UUID) -> libvirt.virDomain:
        """Look a domain up, for virt alone; NotFound (virDomainLookupByUUID)."""
        with translated_errors():
            return self.handle.lookupByUUID(uuid.bytes)

    def pool(self, uuid: UUID) -> libvirt.virStoragePool:
        """Look a pool up, for virt alone; NotFound (virStoragePoolLookupByUUID)."""
        with translated_errors():
            return self.handle.storagePoolLookupByUUID(uuid.bytes)

    def network(self, uuid: UUID) -> libvirt.virNetwork:
        """Look a network up, for virt alone; NotFound (virNetworkLookupByUUID)."""
        with translated_errors():
            return self.handle.networkLookupByUUID(uuid.bytes)


class _Open:
    """One open in its own thread."""

    def __init__(self, access: Access, peer: transport.Endpoint, turn: threading.Lock) -> None:
        self.connection: Connection | None = None
        self.error: Exception | None = None
        self._access, self._peer, self._turn = access, peer, turn
        self._addresses: frozenset[str] = frozenset()
        self._before: frozenset[str] | None = None
        self._abandoned = False
        self._handover = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"open {access.uri.split('?')[0]}", daemon=True)

    def run(self, timeout: float) -> bool:
        """Open, and say whether it ended (well or badly) within `timeout` seconds."""
        self._thread.start()
        self._wait(time.monotonic() + timeout)
        with self._handover:
            if not self._thread.is_alive() or self.connection is not None:
                return True
            self._abandoned = True
        cut_until = time.monotonic() + _GRACE_SECONDS
        # More than once: libvirt goes on to the peer's next address when one fails.
        while self._thread.is_alive() and time.monotonic() < cut_until:
            if self._before is not None:
                transport.cut(self._access, self._addresses, self._before)
            self._thread.join(0.02)
        return False

    def _wait(self, until: float) -> None:
        """Wait for the end. libvirt would wait for minutes at a silent address before it turns to the peer's next."""
        seen: frozenset[str] = frozenset()
        passed = 0
        while self._thread.is_alive() and (left := until - time.monotonic()) > 0:
            self._thread.join(min(left, _PATIENCE_SECONDS))
            if self._before is None or passed + 1 >= len(self._addresses):
                continue
            silent = transport.connecting(self._peer, self._addresses, self._before)
            if silent & seen:
                transport.shut(silent & seen)
                passed += 1
            seen = silent

    def _run(self) -> None:
        try:
            self._addresses = transport.resolve(self._peer)
            if knock.hangs_up(self._peer):
                self.error = Unreachable(
                    gettext_noop("The host hangs up at once."),
                    hint=gettext_noop("Look whether its libvirtd has as many clients as it allows."),
                )
                return
            self._before = frozenset(transport.sockets().values())
            handle = _open(self._access)
            _keep_alive(handle)
            connection = Connection(self._access.uri, handle)
        except libvirt.libvirtError as error:
            self.error = translate(error)
            if self._peer.path:
                self.error = at_named_socket(self._peer.path, self.error.libvirt) or self.error
            if self._peer.transport == "memory":
                # That driver reads a file of this machine, whichever it is told, and quotes what it finds in it.
                self.error.libvirt = self.error.libvirt.partition("\n")[0]
            if error.get_error_domain() == libvirt.VIR_FROM_RPC and not self._abandoned:
                knock.remember(self._peer)
        except OSError as error:
            self.error = Unreachable(
                gettext_noop("The name %(host)s is not known."),
                params={"host": self._peer.host},
                libvirt=str(error),
            )
        except Exception as error:  # noqa: BLE001 - the thread that waits raises it
            self.error = error
        else:
            knock.forget(self._peer)
            with self._handover:
                if not self._abandoned:
                    self.connection = connection
            if self._abandoned:
                connection.close()
        finally:
            self._turn.release()


_turns: dict[transport.Endpoint, threading.Lock] = {}
_turns_lock = threading.Lock()


def open_connection(access: Access, *, timeout: float | None = None) -> Connection:
    """Open a connection to a host's libvirt (virConnectOpenAuth), within `timeout` seconds (10; 20 by ssh).

    Starts the event loop where none runs. At the deadline the transport is cut, so that neither
    thread nor descriptor nor ssh program stays. One open at a time leads to a peer; others wait for their
    turn within their own deadline. Raises TimedOut, Unreachable, Denied, PasswordRefused, HostKeyUnknown,
    KeyRefused, or Unsupported for a transport that has no deadline.
    """
    start_event_loop()
    peer = transport.endpoint(access.uri)
    if timeout is None:
        timeout = SSH_SECONDS if peer.transport == "ssh" else OPEN_SECONDS
    deadline = time.monotonic() + timeout
    with _turns_lock:
        turn = _turns.setdefault(peer, threading.Lock())
    if not turn.acquire(timeout=timeout):
        raise TimedOut()
    # From here on the opening thread gives the turn back, when it truly ends.
    attempt = _Open(access, peer, turn)
    if not attempt.run(max(0.0, deadline - time.monotonic())):
        raise TimedOut()
    if attempt.connection is None:
        raise attempt.error or TimedOut()
    return attempt.connection


def _open(access: Access) -> libvirt.virConnect:
    answers = {libvirt.VIR_CRED_AUTHNAME: access.user, libvirt.VIR_CRED_PASSPHRASE: access.password}

    def answer(asked: list[list[Any]], _nothing: None) -> int:
        """Fill in what is asked; -1 where we have no answer."""
        for credential in asked:
            credential[4] = answers.get(credential[0], "")
        return 0 if all(credential[4] for credential in asked) else -1

    return libvirt.openAuth(access.address, [list(answers), answer, None], 0)


def _keep_alive(handle: libvirt.virConnect) -> None:
    """Make a silent peer end the connection (virConnectSetKeepAlive); drivers in memory have none."""
    try:
        with translated_errors():
            handle.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_MISSES)
    except Unsupported:
        return
