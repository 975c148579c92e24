"""The console service: WebSockets from nginx on a unix socket, one forked child for each.

The parent opens no database, Redis or libvirt connection and starts no thread: everything that a fork could not
share happens in the child. Nothing here writes a request's path to a log, since it holds the token.
"""

import gc
import logging
import select
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from django.db import DatabaseError, connections
from websockify.websocket import WebSocketWantReadError
from websockify.websocketproxy import ProxyRequestHandler, WebSocketProxy

from console import targets
from console.admission import admit, session_key_in
from console.frames import Frames
from console.revocation import wait_for_end
from console.targets import Target
from console.tokens import Claim, redeem
from virt.errors import VirtError

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 25
REQUEST_SECONDS = 10.0
GOODBYE_SECONDS = 1.0

# WebSocket close codes that console.js reads.
DISPLAY_ENDED = 1000
NO_LONGER_ALLOWED = 4403
NO_DISPLAY = 4404


class Handler(ProxyRequestHandler):  # type: ignore[misc]
    """One request. Every refusal is 403 without a reason."""

    timeout = REQUEST_SECONDS
    path: str

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: websockify's lines hold the path."""

    def handle_upgrade(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
        self.path = "/"
        try:
            target = self.find_target(token)
        except (DatabaseError, redis.RedisError):
            log.exception("A console could not be opened")
            self.refuse(503)
            return
        finally:
            connections.close_all()
        if target is None:
            self.refuse(403)
            return
        self.target = target
        super().handle_upgrade()

    def find_target(self, token: str) -> Target | None:
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.headers.get("Host"):
            return None
        claim = redeem(token) if token else None
        if claim is None:
            return None
        self.claim: Claim = claim
        self.session_key = session_key_in(self.headers.get("Cookie", ""))
        return admit(claim, self.session_key)

    def refuse(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def new_websocket_client(self) -> None:
        # A client that takes nothing then blocks its own child alone, until it goes or loses its right.
        self.request.socket.settimeout(None)
        try:
            display = targets.connect(self.target)
        except VirtError as error:
            log.warning("The display of guest %s cannot be opened: %s", self.claim.instance_id, error)
            raise self.CClose(NO_DISPLAY, error.code)
        revoked = threading.Event()
        threading.Thread(target=self.watch, args=(display, revoked), daemon=True).start()
        with display:
            try:
                self.do_proxy(display)
            except (self.CClose, OSError) as end:
                if revoked.is_set():
                    raise self.CClose(NO_LONGER_ALLOWED, "")
                if isinstance(end, OSError):
                    # A QEMU that ends with the browser's words unread resets its socket, and a host that went dark
                    # answers no more; a browser that went away itself does not hear of it.
                    raise self.CClose(DISPLAY_ENDED, "")
                raise

    def do_proxy(self, display: socket.socket) -> None:
        """websockify's own loop copies what it carries several times."""
        client = self.request
        beat_at = time.monotonic() + HEARTBEAT_SECONDS
        with Frames(display, client.socket) as frames:
            while True:
                ready, _, _ = select.select([client, display], [], [], max(0.0, beat_at - time.monotonic()))
                if time.monotonic() >= beat_at:
                    self.send_ping()
                    beat_at += HEARTBEAT_SECONDS
                if display in ready and not frames.pass_on():
                    raise self.CClose(DISPLAY_ENDED, "")
                if client in ready:
                    said, closed = self.recv_frames()
                    display.sendall(b"".join(said))
                    if closed:
                        raise self.CClose(closed["code"], closed["reason"])

    def watch(self, display: socket.socket, revoked: threading.Event) -> None:
        """In a thread: end the connection when whoever opened it may no longer."""
        wait_for_end(self.claim.user_id, self.still_allowed)
        revoked.set()
        with suppress(OSError):  # the display may end by itself in the same moment
            display.shutdown(socket.SHUT_RDWR)
        time.sleep(2 * GOODBYE_SECONDS)  # in which this process says why and ends, unless the client takes nothing
        with suppress(OSError):
            self.request.socket.shutdown(socket.SHUT_RDWR)

    def still_allowed(self) -> bool:
        try:
            return admit(self.claim, self.session_key) == self.target
        except DatabaseError:
            log.exception("Whether a console may stay open cannot be asked; it is asked again")
            return True
        finally:
            connections.close_all()

    def send_close(self, code: int = 1000, reason: str = "") -> None:
        """Say why, and hear the client out: what it sent and we did not read would take our words with it."""
        self.request.socket.settimeout(GOODBYE_SECONDS)
        until = time.monotonic() + GOODBYE_SECONDS
        super().send_close(code, reason)
        while time.monotonic() < until:
            try:
                if self.request.recvmsg() is None:
                    return
            except WebSocketWantReadError:
                continue


class Service(WebSocketProxy):  # type: ignore[misc]
    """websockify's server, without what it offers besides WebSockets."""

    def __init__(self, path: Path) -> None:
        super().__init__(Handler, unix_listen=str(path), unix_listen_mode=0o600)

    def started(self) -> None:
        log.info("Consoles are opened at %s", self.unix_listen)

    def top_new_client(self, startsock: socket.socket, address: list[str]) -> None:
        """In the child: serve the one connection."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        try:
            Handler(startsock, address, self)
        except (ConnectionError, TimeoutError) as error:
            log.info("A console's browser went away: %s", error)
        except Exception:
            log.exception("A console ended by Webvirt's own fault")


def serve(path: Path) -> None:
    """Serve on the unix socket at `path`, until SIGTERM."""
    # websockify writes its settings, and each child, as news.
    logging.getLogger("websocket").setLevel(logging.WARNING)
    gc.freeze()
    Service(path).start_server()
