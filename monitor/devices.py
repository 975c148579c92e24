"""A host's devices as rows."""

import time
from concurrent.futures import Future
from dataclasses import asdict

from hosts.models import Device
from live.channel import publish
from monitor.rows import Changes
from virt.devices import DeviceFacts
from virt.errors import if_supported

# A guest's start makes devices too, so that one event is no reason to read all at once.
SOON_SECONDS = 60.0
READ_SECONDS = 600.0

LONGEST_NAME = 300
LONGEST = {"title": 300, "address": 300, "driver": 100}


class DeviceClock:
    """When a host's devices are to be read: every 10 minutes, and within one after they changed."""

    def __init__(self) -> None:
        self._read_at: float | None = None
        self._changed = False

    def changed(self) -> None:
        self._changed = True

    def is_due(self) -> bool:
        """Whether it is time; then the next time counts from now."""
        now = time.monotonic()
        age = READ_SECONDS if self._read_at is None else now - self._read_at
        if age < (SOON_SECONDS if self._changed else READ_SECONDS):
            return False
        self._read_at, self._changed = now, False
        return True


def take_in(host_id: int, answer: Future[list[DeviceFacts]]) -> None:
    """Make the rows of the host's devices say what was read. Raises VirtError."""
    changes = Changes(host_id)
    known = {row.name: row for row in Device.objects.filter(host_id=host_id)}
    differs = False
    for facts in if_supported(answer.result) or []:
        values = {field: _fitting(field, value) for field, value in asdict(facts).items() if field != "name"}
        name = facts.name[:LONGEST_NAME]
        row = known.pop(name, None)
        if row is None:
            changes.add(Device(host_id=host_id, name=name, **values))
            differs = True
        else:
            differs |= bool(changes.change(row, values))
    changes.remove(known.values())
    changes.commit()
    if differs or known:
        publish("host", host_id)


def _fitting(field: str, value: object) -> object:
    """A text no longer than its column."""
    return value[: LONGEST[field]] if isinstance(value, str) and field in LONGEST else value
