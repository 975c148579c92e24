"""The reader of one host: the thread that hears of its events, and the only one that writes its inventory."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import TypeVar
from uuid import UUID

import redis
from django.db import Error as DatabaseFault
from django.db import connections

from hosts.access import access_to
from hosts.models import Host
from hosts.settle import Look, answer, ask
from instances.models import Instance
from monitor import devices, fence, guests, happenings, nets, pools, status
from monitor.addresses import ROUND_SECONDS, AddressReader
from monitor.chores import Chore
from monitor.devices import DeviceClock
from monitor.errands import Errand, Errands
from monitor.figures import Sampler
from monitor.intake import Intake, Note, Work
from monitor.link import Link
from monitor.pace import Pace
from monitor.parts import LOOK_SECONDS, Parts, Renew
from monitor.rows import batches
from storage.models import Pool
from virt import domains, hosts
from virt.devices import DeviceFacts, list_devices
from virt.domains import DomainState
from virt.errors import Unsupported, VirtError
from virt.events import Event

log = logging.getLogger(__name__)

T = TypeVar("T")

LEASE_PAUSE = 0.2
ERRANDS_PAUSE = 0.05
FIGURES_SECONDS = 5.0
VOLUMES_SECONDS = 15.0
LIST_SECONDS = 30.0
# libvirt tells of no change that is made to a definition for the next start only.
WHOLE_SECONDS = 120.0
REFRESH_SECONDS = 600.0
GUESTS_A_STEP = 5
ADDRESSES_FIRST_SECONDS = 2.0
DEVICES_LOOK_SECONDS = 5.0
# libvirt's first look at a host runs each QEMU binary that is installed there.
FACTS_SECONDS = 90.0


class HostReader:
    """Keeps a host's rows true while it can be reached, and says so where it cannot.

    `may_write` says whether this monitor still holds the host's lease, `ending` whether it was asked to end;
    `is_fenced` that another has taken the host all the same, so that this reader ended. `pulse` is when (monotonic)
    the thread last went round; it stands still while the host is asked, which `link` bounds.
    """

    def __init__(
        self,
        host: Host,
        *,
        may_write: Callable[[], bool],
        ending: Callable[[], bool] = lambda: False,
        pace: Pace | None = None,
    ) -> None:
        self.host = host
        self.host_id = host.pk
        self.pulse = time.monotonic()
        self.link: Link | None = None
        self._name = host.name
        self.is_fenced = False
        self._may_write = may_write
        self._ending = ending
        self._pace = pace or Pace()
        # What may wait for one QEMU, or for a pool's storage, would hold up events on their own connection.
        self._beside: Link | None = None
        self._addresses: AddressReader | None = None
        self._parts: Parts | None = None
        self._agrees = False
        self._began = False
        self._intake = Intake()
        self._devices = DeviceClock()
        self._thread = threading.Thread(target=self._run, name=f"host {host.pk}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; `join` waits for it."""
        self._intake.stop()

    def join(self, seconds: float) -> bool:
        """Wait at most `seconds` for the thread's end; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def look(self, look: Look) -> bool:
        """Take a look request in, to be answered when its rows are committed; False where the host was given up."""
        return self._intake.look(look)

    @property
    def takes_looks(self) -> bool:
        return self.link is not None and not self._intake.stopped and self._may_write()

    def hangs_since(self, earliest: float) -> bool:
        """Whether the thread has stood still since `earliest` (monotonic) without waiting for its host."""
        link = self.link
        return self.pulse < earliest and not (link is not None and link.is_asking)

    def check(self) -> None:
        """Cut a call that takes too long; called by the supervisor about once a second."""
        link = self.link
        if link is not None and link.is_overdue:
            log.warning("%s does not answer; its connection is cut", self._name)
            link.cut()
        addresses = self._addresses
        if addresses is not None:
            addresses.check()

    def _run(self) -> None:
        while not self._intake.stopped:
            if not self._may_write():
                self._rest(LEASE_PAUSE)
                continue
            self._pace.begin()
            self._attempt()
            self._rest(self._pace.pause())
        self._pass_on()
        connections.close_all()

    def _pass_on(self) -> None:
        """Leave the looks that nobody took up to the monitor that reads the host next."""
        try:
            for look in self._intake.take(0).looks:
                ask(self.host_id, look)
        except redis.RedisError as error:
            log.warning("Redis does not answer, looks are lost: %s", error)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._intake.stopped and (left := until - time.monotonic()) > 0:
            self.pulse = time.monotonic()
            self._intake.rest(min(left, 1.0))

    def _attempt(self) -> None:
        """Connect, and read until the connection ends."""
        self.pulse = time.monotonic()
        try:
            if not self._began:
                fence.take(self.host_id)
                status.connecting(self.host_id)
                self._began = True
            try:
                self.link = self._open(self._intake.happened)
                self._read(self.link)
            except Renew:
                log.info("%s: a part of its libvirt has ended or come back; it is connected anew", self._name)
            except VirtError as error:
                log.info("%s: %s", self._name, error)
                # Whoever ends us ends our ssh programs with us: no host is lost by that. Nor by what was found where
                # the host is not looked for any more.
                if not self._ending() and not self._intake.stopped:
                    status.lost(self.host_id, error, answered_at=self.link.answered_at if self.link else None)
        except fence.Fenced as error:
            log.warning("%s: %s", self._name, error)
            self.is_fenced = True
            self._intake.stop()
        except DatabaseFault as error:
            # Its state cannot be written either; all is read anew when the database is back.
            log.warning("%s: the database does not take what was read: %s", self._name, error)
            connections.close_all()
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("%s: not read by our own fault, reference %s", self._name, reference)
            self._say_failed(reference)
        finally:
            self._close()

    def _say_failed(self, reference: str) -> None:
        try:
            status.failed(self.host_id, reference)
        except DatabaseFault as error:
            log.warning("%s: its state cannot be written: %s", self._name, error)
            connections.close_all()

    def _close(self) -> None:
        self._parts = None
        addresses, self._addresses = self._addresses, None
        if addresses is not None:
            addresses.close()
        links = (self._beside, self.link)
        self._beside = self.link = None
        for link in links:
            if link is None:
                continue
            try:
                link.close()
            except VirtError as error:
                log.info("%s: closed: %s", self._name, error)

    def _read(self, link: Link) -> None:
        """Make all rows true, then keep them so."""
        guests.sync_list(link, self.host_id)
        # A host that was never read is not up before it is known what it offers.
        if not status.has_facts(self.host_id):
            self._facts(link)
        watched = self._parts = Parts(self.host_id, link, self._intake)
        status.up(self.host_id)
        log.info("%s: up", self._name)
        self._intake.note(Note("host"))
        beside = self._beside = self._open()
        self._pace.forgive()
        self._devices = DeviceClock()
        sampler = Sampler(self.host_id)
        errands = Errands(beside, self._intake)
        addresses = self._addresses = AddressReader(self.host_id, self._intake, self._open)
        chores = [
            Chore(FIGURES_SECONDS, lambda: self._figures(link, beside, sampler)),
            Chore(WHOLE_SECONDS, lambda: self._whole(link, errands)),
            Chore(LIST_SECONDS, lambda: self._guests(beside), first=LIST_SECONDS),
            Chore(VOLUMES_SECONDS, lambda: self._volumes(errands), first=VOLUMES_SECONDS),
            Chore(REFRESH_SECONDS, lambda: self._refresh(errands), first=REFRESH_SECONDS),
            Chore(ROUND_SECONDS, lambda: self._ask_addresses(addresses), first=ADDRESSES_FIRST_SECONDS),
            Chore(DEVICES_LOOK_SECONDS, lambda: self._ask_devices(beside)),
            Chore(LOOK_SECONDS, lambda: watched.look(beside)),
        ]
        while not self._intake.stopped:
            self.pulse = time.monotonic()
            for one in (link, beside):
                if not one.is_alive:
                    raise one.breakage()
            if not self._may_write():
                self._intake.rest(LEASE_PAUSE)
                continue
            self._serve(link, errands, self._intake.take(min(1.0, *(chore.wait() for chore in chores))))
            for chore in chores:
                self._guard(link, chore.step)

    def _guard(self, link: Link, do: Callable[[], T]) -> T | None:
        """Do it; what the host cannot do, or refuses for one object, does not end the reading of the others."""
        try:
            return do()
        except Unsupported as error:
            log.debug("%s: %s", self._name, error)
        except VirtError as error:
            if not link.is_alive:
                raise
            if self._parts is not None and self._parts.judge(error):
                log.debug("%s: %s", self._name, error)
                return None
            self._agrees = False
            log.warning("%s: %s", self._name, error)
        return None

    def _serve(self, link: Link, errands: Errands, work: Work) -> None:
        """Read what was noted, each object once, then answer the looks."""
        happenings.take_in(self.host_id, work.heard)
        if any(one.event.object_type == "node_device" for one in work.heard):
            self._devices.changed()
        for take_in in work.answers:
            self._guard(link, take_in)
        for uuids in batches(work.of("guest"), GUESTS_A_STEP):
            self._guard(link, partial(guests.sync_some, link, self.host_id, uuids))
        for uuid in work.of("network"):
            self._guard(link, partial(nets.sync_network, link, self.host_id, uuid))
        if Note("host") in work.notes:
            self._guard(link, partial(self._facts, link))
        found = [self._reading(uuid) for uuid in work.of("pool")]
        if not found:
            for look in work.looks:
                self._answer(look)
            return
        answers = [Errand(partial(self._answer, look)) for look in work.looks]
        self._guard(link, partial(errands.add, [*found, *answers], first=True))

    def _answer(self, look: Look) -> None:
        """Tell the job that waits; its rows are committed."""
        try:
            answer(look)
        except redis.RedisError as error:
            log.warning("Redis does not answer, nor is a look answered: %s", error)

    def _facts(self, link: Link) -> None:
        status.facts(self.host_id, link.long_call(FACTS_SECONDS, hosts.describe))

    def _reading(self, uuid: UUID) -> Errand:
        return Errand(lambda: partial(pools.read, uuid=uuid), partial(self._pool_read, uuid))

    def _pool_read(self, uuid: UUID, answer: Future[pools.PoolRead]) -> None:
        users = pools.take_in(self.host_id, uuid, answer)
        self._intake.note(*(Note("guest", user) for user in users))

    def _refreshing(self, uuid: UUID) -> Errand:
        return Errand(lambda: partial(pools.refresh, uuid=uuid) if pools.may_refresh(self.host_id) else None)

    def _figures(self, link: Link, beside: Link, sampler: Sampler) -> Iterator[float]:
        """A host's figures are asked for every 5 s besides to notice a host that is silent."""
        sampler.begin(link, beside, self._intake)
        return iter(())

    def _whole(self, link: Link, errands: Errands) -> Iterator[float]:
        """Everything, definitions included; inventory agrees with the host after it."""
        self._agrees = True
        uuids = list(Instance.objects.filter(host_id=self.host_id).values_list("uuid", flat=True))
        for some in batches(uuids, GUESTS_A_STEP):
            self._guard(link, partial(guests.sync_some, link, self.host_id, some))
            yield 0.0
        found = self._guard(link, partial(pools.listed, link, self.host_id)) or []
        self._guard(link, partial(errands.add, [self._reading(uuid) for uuid in found]))
        for uuid in self._guard(link, partial(nets.listed, link, self.host_id)) or []:
            self._guard(link, partial(nets.sync_network, link, self.host_id, uuid))
            yield 0.0
        while not errands.is_idle:
            yield ERRANDS_PAUSE
        if self._agrees:
            status.agrees(self.host_id)

    def _guests(self, beside: Link) -> Iterator[float]:
        """List all guests, which would find what a lost event left untold."""
        beside.aside("list", domains.list_all, lambda answer: self._intake.answered(partial(self._listed, answer)))
        status.seen(self.host_id)
        return iter(())

    def _listed(self, answer: Future[list[DomainState]]) -> None:
        self._intake.note(*(Note("guest", uuid) for uuid in guests.differing(self.host_id, answer.result())))

    def _volumes(self, errands: Errands) -> Iterator[float]:
        """libvirt tells of no volume that is made or deleted."""
        if errands.is_idle:
            errands.add(self._reading(uuid) for uuid in self._active_pools())
        return iter(())

    def _refresh(self, errands: Errands) -> Iterator[float]:
        errands.add(self._refreshing(uuid) for uuid in self._active_pools())
        return iter(())

    def _open(self, note: Callable[[Event], None] | None = None) -> Link:
        with access_to(self.host) as access:
            return Link(access, note=note, closed=self._intake.wake, timeout=self._pace.open_seconds)

    def _ask_addresses(self, addresses: AddressReader) -> Iterator[float]:
        addresses.begin()
        return iter(())

    def _ask_devices(self, beside: Link) -> Iterator[float]:
        if self._devices.is_due():
            beside.aside(
                "devices",
                list_devices,
                lambda answer: self._intake.answered(partial(self._devices_read, answer)),
            )
        return iter(())

    def _devices_read(self, answer: Future[list[DeviceFacts]]) -> None:
        devices.take_in(self.host_id, answer)

    def _active_pools(self) -> list[UUID]:
        active = Pool.objects.filter(host_id=self.host_id, state=Pool.State.ACTIVE)
        return list(active.values_list("uuid", flat=True))
