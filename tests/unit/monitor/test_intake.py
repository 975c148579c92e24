"""What waits for a reader is read once, however often it was noted."""

import threading
from uuid import UUID

from accounts.rights import Ref
from hosts.settle import Look
from monitor.intake import Intake, Note
from virt.events import Event

GUEST, POOL = UUID(int=1), UUID(int=2)


def event(kind: str = "lifecycle", object_type: str = "domain", uuid: UUID | None = GUEST) -> Event:
    return Event(kind, object_type, uuid, "name", "")  # type: ignore[arg-type]


def test_a_burst_of_events_is_one_note() -> None:
    intake = Intake()
    for _ in range(5):
        intake.happened(event())
    intake.happened(event(object_type="pool", uuid=POOL))
    work = intake.take(0)
    assert work.notes == [Note("guest", GUEST), Note("pool", POOL)]
    assert intake.take(0).notes == []


def test_events_that_no_row_holds_are_passed_over() -> None:
    intake = Intake()
    intake.happened(event("rtc-change"))
    intake.happened(event("lifecycle", "node_device", None))
    assert intake.take(0).notes == []


def test_a_look_reads_a_volume_with_its_pool_and_joins_what_was_noted() -> None:
    intake = Intake()
    intake.happened(event())
    look = Look("nonce", (Ref("instance", 1, GUEST, "web-1"), Ref("volume", 1, POOL, "web-1.qcow2")))
    intake.look(look)
    work = intake.take(0)
    assert work.looks == [look]
    assert work.of("guest") == [GUEST]
    assert work.of("pool") == [POOL]


def test_a_note_ends_the_waiting_at_once() -> None:
    intake = Intake()
    threading.Timer(0.01, intake.happened, [event()]).start()
    assert intake.take(10).notes == [Note("guest", GUEST)]


def test_a_stop_ends_the_waiting_at_once() -> None:
    intake = Intake()
    threading.Timer(0.01, intake.stop).start()
    intake.take(10)
    intake.rest(10)
    assert intake.stopped
