"""The monitor's first thread: which hosts are read here, and whether all of it truly works."""

import logging
import threading
import time
from functools import partial
from typing import Any

import redis
from django.db import Error as DatabaseFault
from django.db import connection

from hosts.models import Host
from live.channel import STREAM
from monitor import status
from monitor.looks import LookListener
from monitor.members import BEAT_SECONDS, me
from monitor.reader import HostReader
from monitor.sharing import Share
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
    """Starts and stops the readers of the hosts that are this monitor's; `run` returns when it was asked to end."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._share = Share()
        self._hosts: dict[int, Host] = {}
        self._readers: dict[int, HostReader] = {}
        self._retiring: dict[int, HostReader] = {}
        self._looks = LookListener(lambda: dict(self._readers))
        self._heard = ""
        self._hosts_due = 0.0
        self._share_due = 0.0

    def stop(self) -> None:
        """End soon; may be called by a signal's handler."""
        self._stop.set()

    def run(self) -> None:
        start_event_loop()
        self._looks.start()
        while not self._stop.is_set():
            self._look_at_hosts()
            self._divide()
            for reader in [*self._readers.values(), *self._retiring.values()]:
                reader.check()
            self._hear()
        self._end()

    def _look_at_hosts(self) -> None:
        """Read by what all hosts are reached, and let go of those that are gone or lead elsewhere now."""
        if time.monotonic() < self._hosts_due:
            return
        self._hosts_due = time.monotonic() + HOSTS_SECONDS
        try:
            self._hosts = Host.objects.with_reach().in_bulk()
        except DatabaseFault as error:
            log.warning("The hosts cannot be read: %s", error)
            connection.close()
            return
        self._share_due = 0.0
        for id, reader in list(self._readers.items()):
            if id not in self._hosts:
                self._retire(id)
            elif self._hosts[id].reach != reader.host.reach:
                self._retire(id)
                self._forget_fault(id)

    def _forget_fault(self, host_id: int) -> None:
        """Its reader may wait for the old address for long: what was wrong there is not said of the new one."""
        try:
            status.begun_anew(host_id)
        except DatabaseFault as error:
            log.warning("The state of host %s is not written: %s", host_id, error)
            connection.close()

    def _divide(self) -> None:
        """Read what is ours to read, give up what is not, and say that this monitor works."""
        ended = [id for id, reader in self._retiring.items() if reader.join(0)]
        for id in ended:
            del self._retiring[id]
        now = time.monotonic()
        if now < self._share_due and not ended:
            return
        # A reader that hangs does not keep its host from the others; it cannot write any more.
        ending = {id for id, reader in self._retiring.items() if not reader.hangs_since(now - HANGS_SECONDS)}
        self._share_due = now + BEAT_SECONDS
        try:
            ours = self._share.agree(self._hosts, self._readers.keys() | ending)
            if self._works():
                alive.say("monitor", me())
        except redis.RedisError as error:
            log.warning("Redis does not answer: %s", error)
            self._share.extend()
            return
        if self._share.waits:
            # What changes hands is not kept waiting for the next beat.
            self._share_due = now + TICK_SECONDS
        for id, reader in list(self._readers.items()):
            if id not in ours or reader.is_fenced:
                self._retire(id)
        for id in ours - self._readers.keys() - self._retiring.keys():
            self._readers[id] = HostReader(
                self._hosts[id], may_write=partial(self._share.may_write, id), ending=self._stop.is_set
            )
            self._readers[id].start()

    def _retire(self, host_id: int) -> None:
        reader = self._retiring[host_id] = self._readers.pop(host_id)
        reader.stop()

    def _works(self) -> bool:
        """Whether each thread goes round; one that waits for its host is bounded by its link."""
        earliest = time.monotonic() - HANGS_SECONDS
        hanging = [reader.host_id for reader in self._readers.values() if reader.hangs_since(earliest)]
        if hanging or self._looks.pulse < earliest:
            log.error("Threads hang: hosts %s, looks %s", hanging, self._looks.pulse < earliest)
            return False
        return True

    def _hear(self) -> None:
        """Wait a moment, or until the live stream tells of a host."""
        try:
            self._heard = self._heard or f"{int(client().get(f'{STREAM}:seq') or 0)}-0"
            found: Any = client().xread({STREAM: self._heard}, block=int(TICK_SECONDS * 1000))
        except redis.RedisError:
            # Said already where the leases are renewed. A Redis that comes back empty counts anew.
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
        self._share.end()
