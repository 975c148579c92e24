"""What waits for a host's reader: notes of events, look requests, answers, and the sign to stop."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from hosts.settle import Look
from monitor.happenings import Heard, heard_now
from virt.events import Event

# Events of one action come in a burst; read once after it. (`virsh start` sends three within 2 ms.)
GATHER_SECONDS = 0.008

# The newest are kept, while nobody takes them.
MOST_HEARD = 1000

# What a note of this type reads: a volume, and what is uploaded, is named by its pool and read with it.
KINDS = {
    "domain": "guest",
    "instance": "guest",
    "pool": "pool",
    "volume": "pool",
    "upload": "pool",
    "network": "network",
    "host": "host",
}
# What rows do not hold.
IRRELEVANT = {"rtc-change", "migration-iteration", "watchdog", "graphics"}


@dataclass(frozen=True)
class Note:
    """Something to read: kind is guest, pool, network or host (which has no uuid)."""

    kind: str
    uuid: UUID | None = None


@dataclass
class Work:
    """What to read now, each object once, the looks to answer when its rows are committed, and what to finish.

    `answers` are of calls that ran aside; each is a function that takes it in. `heard` are the events themselves.
    """

    notes: list[Note] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    answers: list[Callable[[], None]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    def of(self, kind: str) -> list[UUID]:
        return [note.uuid for note in self.notes if note.kind == kind and note.uuid is not None]


class Intake:
    """Filled by libvirt's event loop, the listener for looks and calls aside; emptied by the host's reader."""

    def __init__(self) -> None:
        self._filled = threading.Condition()
        self._notes: dict[Note, None] = {}
        self._looks: list[Look] = []
        self._answers: list[Callable[[], None]] = []
        self._heard: deque[Heard] = deque(maxlen=MOST_HEARD)
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def happened(self, event: Event) -> None:
        """Note an event and its object; called in the event loop's thread."""
        if event.kind in IRRELEVANT:
            return
        heard = heard_now(event)
        kind = KINDS.get(event.object_type)
        with self._filled:
            self._heard.append(heard)
            if kind is not None:
                self._notes[Note(kind, event.uuid)] = None
            self._filled.notify()

    def note(self, *notes: Note) -> None:
        with self._filled:
            self._notes.update(dict.fromkeys(notes))
            self._filled.notify()

    def look(self, look: Look) -> bool:
        """Have this looked at; False once stopped."""
        with self._filled:
            if self.stopped:
                return False
            self._looks.append(look)
            self._filled.notify()
        return True

    def answered(self, take_in: Callable[[], None]) -> None:
        """Have the reader call this."""
        with self._filled:
            self._answers.append(take_in)
            self._filled.notify()

    def wake(self) -> None:
        """End the waiting of `take`, though there is nothing to read."""
        with self._filled:
            self._filled.notify()

    def stop(self) -> None:
        self._stop.set()
        self.wake()

    def rest(self, seconds: float) -> None:
        """Wait while there is no connection; only a stop ends it early."""
        self._stop.wait(seconds)

    def take(self, seconds: float) -> Work:
        """All that waits, having waited at most `seconds` for it."""
        with self._filled:
            if not self._has_some() and seconds > 0:
                self._filled.wait(seconds)
            if not self._has_some():
                return Work()
            gather = bool(self._notes) and not self._looks and not self.stopped
        if gather:
            time.sleep(GATHER_SECONDS)
        with self._filled:
            notes, self._notes = self._notes, {}
            looks, self._looks = self._looks, []
            answers, self._answers = self._answers, []
            heard = list(self._heard)
            self._heard.clear()
        for look in looks:
            for ref in look.refs:
                notes[Note(KINDS[ref.type], ref.uuid)] = None
        return Work(list(notes), looks, answers, heard)

    def _has_some(self) -> bool:
        return bool(self._notes or self._looks or self._answers or self._heard or self.stopped)
