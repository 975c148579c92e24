"""Look requests: what jobs changed and want read at once."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import cast

from redis.exceptions import RedisError

from hosts.settle import ask, look_key, parse_look
from monitor.reader import HostReader
from webvirt.redis import client

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0
PAUSE_SECONDS = 0.1


class LookListener:
    """A thread that takes look requests of connected hosts and hands them to the hosts' readers."""

    def __init__(self, readers: Callable[[], Mapping[int, HostReader]]) -> None:
        self.pulse = time.monotonic()
        self._readers = readers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="looks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.pulse = time.monotonic()
            connected = {look_key(host_id): reader for host_id, reader in self._readers().items() if reader.takes_looks}
            if not connected:
                self._stop.wait(PAUSE_SECONDS)
                continue
            try:
                found = cast("tuple[str, str] | None", client().blpop(list(connected), timeout=WAIT_SECONDS))
            except RedisError as error:
                log.warning("Redis does not answer, no look is heard: %s", error)
                self._stop.wait(WAIT_SECONDS)
                continue
            if found:
                key, text = found
                self._hand_over(connected[key], text)

    def _hand_over(self, reader: HostReader, text: str) -> None:
        try:
            look = parse_look(reader.host_id, text)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("A look request is not understood: %s", error)
            return
        if reader.look(look):
            return
        try:
            # The host was given up meanwhile: who reads it next is asked.
            ask(reader.host_id, look)
        except RedisError as error:
            log.warning("Redis does not answer, a look is lost: %s", error)
