"""The monitor's first thread: which hosts are read, and whether all of it truly works."""

import logging
import threading
import time
from typing import Any

import redis
from django.db import Error as DatabaseFault
from django.db import connection

from hosts.models import Host
from live.channel import STREAM
from monitor.lease import RENEW_SECONDS, Lease
from monitor.looks import LookListener
from monitor.reader import HostReader
from virt.loop import start_event_loop
from webvirt import alive
from webvirt.redis import client

log = logging.getLogger(__name__)

HOSTS_SECONDS = 5.0
TICK_SECONDS = 0.5
STOP_SECONDS = 2.0
# A thread that stood still for longer, and does not wait for its host, hangs: then the sign of life stops.
HANGS_SECONDS = 60.0


class Supervisor:
    """Starts and stops the readers; `run` returns the process' exit status."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._lease = Lease()
        self._readers: dict[int, HostReader] = {}
        self._retiring: dict[int, HostReader] = {}
        self._looks = LookListener(lambda: dict(self._readers))
        self._heard = ""
        self._hosts_due = 0.0
        self._lease_due = 0.0

    def stop(self) -> None:
        """End soon; may be called by a signal's handler."""
        self._stop.set()

    def run(self) -> int:
        start_event_loop()
        if not self._wait_for_lease():
            return 0
        self._looks.start()
        lost = False
        while not self._stop.is_set() and not lost:
            lost = not self._keep_lease()
            if not lost:
                self._look_at_hosts()
                for reader in [*self._readers.values(), *self._retiring.values()]:
                    reader.check()
                self._hear()
        self._end()
        return 1 if lost else 0

    def _wait_for_lease(self) -> bool:
        """Wait until no other monitor works; false when asked to end before."""
        said = ""
        while not self._stop.is_set():
            try:
                if self._lease.take():
                    return True
                why = "another monitor works"
            except redis.RedisError as error:
                why = f"Redis does not answer: {error}"
            if why != said:
                log.info("This monitor waits: %s", why)
                said = why
            self._stop.wait(TICK_SECONDS)
        return False

    def _keep_lease(self) -> bool:
        """Renew the lease and say that the monitor works; false when another one has taken it."""
        if time.monotonic() < self._lease_due:
            return True
        self._lease_due = time.monotonic() + RENEW_SECONDS
        try:
            if not self._lease.take():
                log.error("Another monitor has taken the lease; this one ends.")
                return False
            if self._works():
                alive.say("monitor")
        except redis.RedisError as error:
            log.warning("Redis does not answer: %s", error)
            self._lease.extend()
        return True

    def _works(self) -> bool:
        """Whether each thread goes round; one that waits for its host is bounded by its link."""
        earliest = time.monotonic() - HANGS_SECONDS
        hanging = [reader.host_id for reader in self._readers.values() if reader.hangs_since(earliest)]
        if hanging or self._looks.pulse < earliest:
            log.error("Threads hang: hosts %s, looks %s", hanging, self._looks.pulse < earliest)
            return False
        return True

    def _look_at_hosts(self) -> None:
        """Start and stop readers, as the rows say."""
        self._retiring = {id: reader for id, reader in self._retiring.items() if not reader.join(0)}
        if time.monotonic() < self._hosts_due:
            return
        self._hosts_due = time.monotonic() + HOSTS_SECONDS
        try:
            wanted = Host.objects.in_bulk()
        except DatabaseFault as error:
            log.warning("The hosts cannot be read: %s", error)
            connection.close()
            return
        for id, reader in list(self._readers.items()):
            if id not in wanted or wanted[id].reach != reader.host.reach:
                reader.stop()
                self._retiring[id] = self._readers.pop(id)
        for id, host in wanted.items():
            if id not in self._readers and id not in self._retiring:
                self._readers[id] = HostReader(host, may_write=self._lease.is_held)
                self._readers[id].start()

    def _hear(self) -> None:
        """Wait a moment, or until the live stream tells of a host."""
        try:
            self._heard = self._heard or f"{int(client().get(f'{STREAM}:seq') or 0)}-0"
            found: Any = client().xread({STREAM: self._heard}, block=int(TICK_SECONDS * 1000))
        except redis.RedisError:
            # Said already where the lease is renewed. A Redis that comes back empty counts anew.
            self._heard = ""
            self._stop.wait(TICK_SECONDS)
            return
        for entry_id, values in found[0][1] if found else []:
            self._heard = entry_id
            if values["type"] == "host":
                self._hosts_due = 0.0

    def _end(self) -> None:
        self._looks.stop()
        readers = [*self._readers.values(), *self._retiring.values()]
        for reader in readers:
            reader.stop()
        until = time.monotonic() + STOP_SECONDS
        for reader in readers:
            reader.join(max(0.0, until - time.monotonic()))
        self._lease.give_back()
