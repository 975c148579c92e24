"""What is known of a host itself: its state, since when and why, and what it is."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from hosts.models import Host, HostStatus
from live.channel import publish
from monitor import fence, happenings
from tasks.runner import own_fault, words_of
from virt.errors import (
    CertificateRefused,
    Denied,
    HostKeyUnknown,
    KeyRefused,
    PartAway,
    PasswordRefused,
    Unsupported,
    VirtError,
)
from virt.hosts import HostFacts

State = HostStatus.State

# These do not go away by waiting: somebody has to change something.
REFUSALS = (CertificateRefused, Denied, HostKeyUnknown, KeyRefused, PasswordRefused, Unsupported)
FACTS = (
    "hostname",
    "host_uuid",
    "driver",
    "libvirt_version",
    "hypervisor_version",
    "arch",
    "cpu_model",
    "cpus",
    "memory_bytes",
    "kvm",
    "kvm_reason",
    "capabilities_xml",
    "domcapabilities_xml",
)


def _write(host_id: int, values: dict[str, Any]) -> bool:
    """Write what differs of a host's row; whether anything did. A host that was removed has none."""
    status = HostStatus.objects.filter(host_id=host_id).first()
    if status is None:
        if not Host.objects.filter(pk=host_id).exists():
            return False
        status = HostStatus(host_id=host_id)
        with fence.writing(host_id):
            status.save(force_insert=True)
    before = status.state
    if "state" in values and values["state"] != before:
        values = {**values, "since": timezone.now()}
    fields = [name for name, value in values.items() if getattr(status, name) != value]
    for name in fields:
        setattr(status, name, values[name])
    if fields:
        with fence.writing(host_id):
            status.save(update_fields=fields)
    if status.state != before and status.state == State.UP:
        happenings.of_host(host_id, "up")
    elif status.state in (State.DOWN, State.REFUSED) and before == State.UP:
        happenings.of_host(host_id, "lost")
    return bool(fields)


def _tell(host_id: int, values: dict[str, Any]) -> None:
    if _write(host_id, values):
        publish("host", host_id)


def connecting(host_id: int) -> None:
    """A monitor begins: what an earlier one called up has yet to be seen. What was down stays so until it answers."""
    status = HostStatus.objects.filter(host_id=host_id).first()
    if status is None or status.is_up:
        _tell(host_id, {"state": State.CONNECTING, "error": None})


def begun_anew(host_id: int) -> None:
    """It is reached in another way from here on: nothing is known of that yet."""
    _tell(host_id, {"state": State.CONNECTING, "error": None})


def up(host_id: int) -> None:
    _tell(host_id, {"state": State.UP, "error": None, "last_seen": timezone.now()})


def lost(host_id: int, error: VirtError, *, answered_at: float | None) -> None:
    """The host cannot be reached, or refuses us; `answered_at` is when it last answered (since the epoch)."""
    state = State.REFUSED if isinstance(error, REFUSALS) else State.DOWN
    values: dict[str, Any] = {"state": state, "error": words_of(error)}
    if answered_at is not None:
        values["last_seen"] = datetime.fromtimestamp(answered_at, tz=UTC)
    _tell(host_id, values)


def failed(host_id: int, reference: str) -> None:
    """We could not read the host by a fault of our own; the log has it under `reference`."""
    _tell(host_id, {"state": State.DOWN, "error": own_fault(reference)})


def parts_away(host_id: int, found: Iterable[PartAway]) -> None:
    """These parts of its libvirt do not run; all others do."""
    status = HostStatus.objects.filter(host_id=host_id).only("away").first()
    before = status.away if status is not None else {}
    now = timezone.now().isoformat()
    away = {error.part: {**words_of(error), "since": before.get(error.part, {}).get("since", now)} for error in found}
    _tell(host_id, {"away": away})


def facts(host_id: int, found: HostFacts) -> None:
    _tell(host_id, {name: getattr(found, name) for name in FACTS})


def has_facts(host_id: int) -> bool:
    return HostStatus.objects.filter(host_id=host_id).exclude(capabilities_xml="").exists()


def seen(host_id: int) -> None:
    """The host answers still; no page shows it while it is up, so none is told."""
    _write(host_id, {"last_seen": timezone.now()})


def agrees(host_id: int) -> None:
    """Inventory agrees with the host now."""
    status = HostStatus.objects.filter(host_id=host_id).only("state", "since", "synced_at").first()
    now = timezone.now()
    # Where the clock was put back meanwhile, now is before the host was reached.
    _write(host_id, {"synced_at": max(now, status.since) if status else now})
    if status is not None and status.reads_definitions:
        publish("host", host_id)
