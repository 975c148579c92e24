"""What happens on a host, as it happens."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import InvalidState, OperationFailed, PartAway, Unreachable, Unsupported
from virt.states import words_of
from virt.translate import translated_errors

ObjectType = Literal["domain", "pool", "network", "node_device", "secret"]


@dataclass(frozen=True)
class Event:
    """Something that happened to an object.

    `kind` is libvirt's event (`lifecycle`, `disk-change`…); `detail` its word where it has one, as
    `started`. Node devices have no UUID.
    """

    kind: str
    object_type: ObjectType
    uuid: UUID | None
    name: str
    detail: str


_DOMAIN_KINDS = {
    "lifecycle": "LIFECYCLE",
    "reboot": "REBOOT",
    "rtc-change": "RTC_CHANGE",
    "watchdog": "WATCHDOG",
    "io-error": "IO_ERROR_REASON",
    "graphics": "GRAPHICS",
    "control-error": "CONTROL_ERROR",
    "disk-change": "DISK_CHANGE",
    "tray-change": "TRAY_CHANGE",
    "pmwakeup": "PMWAKEUP",
    "pmsuspend": "PMSUSPEND",
    "pmsuspend-disk": "PMSUSPEND_DISK",
    "balloon-change": "BALLOON_CHANGE",
    "device-added": "DEVICE_ADDED",
    "device-removed": "DEVICE_REMOVED",
    "device-removal-failed": "DEVICE_REMOVAL_FAILED",
    "block-job": "BLOCK_JOB_2",
    "tunable": "TUNABLE",
    "agent-lifecycle": "AGENT_LIFECYCLE",
    "migration-iteration": "MIGRATION_ITERATION",
    "job-completed": "JOB_COMPLETED",
    "metadata-change": "METADATA_CHANGE",
    "block-threshold": "BLOCK_THRESHOLD",
    "memory-failure": "MEMORY_FAILURE",
    "memory-device-size-change": "MEMORY_DEVICE_SIZE_CHANGE",
}
_POOL_KINDS = {"lifecycle": "LIFECYCLE", "refresh": "REFRESH"}
_NETWORK_KINDS = {"lifecycle": "LIFECYCLE", "metadata-change": "METADATA_CHANGE"}
_NODE_DEVICE_KINDS = {"lifecycle": "LIFECYCLE", "update": "UPDATE"}
_SECRET_KINDS = {"lifecycle": "LIFECYCLE", "value-changed": "VALUE_CHANGED"}

_LIFECYCLE_WORDS: dict[ObjectType, dict[int, str]] = {
    # Their details share the prefix (VIR_DOMAIN_EVENT_STARTED_BOOTED) and other values' names.
    "domain": {
        getattr(libvirt, f"VIR_DOMAIN_EVENT_{word.upper()}"): word
        for word in (
            "defined",
            "undefined",
            "started",
            "suspended",
            "resumed",
            "stopped",
            "shutdown",
            "pmsuspended",
            "crashed",
        )
    },
    "pool": words_of("VIR_STORAGE_POOL_EVENT_"),
    "network": words_of("VIR_NETWORK_EVENT_"),
    "node_device": words_of("VIR_NODE_DEVICE_EVENT_"),
    "secret": words_of("VIR_SECRET_EVENT_"),
}
for _words in _LIFECYCLE_WORDS.values():
    for _number in [number for number, word in _words.items() if word.startswith("id_")]:
        del _words[_number]

_AGENT_WORDS = words_of("VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_")


@dataclass(frozen=True)
class _Source:
    """One group of libvirt's events: how it is asked for, and what it speaks of."""

    object_type: ObjectType
    kinds: dict[str, str]
    prefix: str
    register: str
    deregister: str


_SOURCES = (
    _Source("domain", _DOMAIN_KINDS, "VIR_DOMAIN_EVENT_ID_", "domainEventRegisterAny", "domainEventDeregisterAny"),
    _Source(
        "pool",
        _POOL_KINDS,
        "VIR_STORAGE_POOL_EVENT_ID_",
        "storagePoolEventRegisterAny",
        "storagePoolEventDeregisterAny",
    ),
    _Source("network", _NETWORK_KINDS, "VIR_NETWORK_EVENT_ID_", "networkEventRegisterAny", "networkEventDeregisterAny"),
    _Source(
        "node_device",
        _NODE_DEVICE_KINDS,
        "VIR_NODE_DEVICE_EVENT_ID_",
        "nodeDeviceEventRegisterAny",
        "nodeDeviceEventDeregisterAny",
    ),
    _Source("secret", _SECRET_KINDS, "VIR_SECRET_EVENT_ID_", "secretEventRegisterAny", "secretEventDeregisterAny"),
)


class Subscription:
    """All events of a connection; `kinds` are those that the driver has, as `domain lifecycle`.

    `away` are the parts of libvirt that do not run: of these there are none.
    """

    def __init__(self, conn: Connection, note: Callable[[Event], None]) -> None:
        self._conn = conn
        self._note = note
        self._registered: list[tuple[str, int]] = []
        self.kinds: list[str] = []
        self.away: list[PartAway] = []
        for source in _SOURCES:
            try:
                for kind, constant in source.kinds.items():
                    self._register(source, kind, constant)
            except PartAway as error:
                self.away.append(error)

    def _register(self, source: _Source, kind: str, constant: str) -> None:
        # libvirt-python built against an older libvirt has fewer constants.
        number = getattr(libvirt, source.prefix + constant, None)
        if number is None:
            return
        register = getattr(self._conn.handle, source.register)
        try:
            with translated_errors():
                callback = register(None, number, self._callback(source.object_type, kind), None)
        except Unsupported:
            return
        self._registered.append((source.deregister, callback))
        self.kinds.append(f"{source.object_type} {kind}")

    def _callback(self, object_type: ObjectType, kind: str) -> Callable[..., None]:
        note = self._note

        def happened(handle: Any, subject: Any, *values: Any) -> None:
            uuid = None if object_type == "node_device" else UUID(subject.UUIDString())
            name = subject.usageID() if object_type == "secret" else subject.name()
            note(Event(kind, object_type, uuid, name, _detail(object_type, kind, values[:-1])))

        return happened

    def close(self) -> None:
        """Stop the events.

        On a broken connection libvirt refuses each call, yet only after it has let go of the callback; one
        that it held on to would keep the connection and a descriptor for good.
        """
        if self._conn.handle is None:
            return
        for deregister, callback in self._registered:
            with suppress(Unreachable, InvalidState, OperationFailed), translated_errors():
                getattr(self._conn.handle, deregister)(callback)
        self._registered.clear()


def _detail(object_type: ObjectType, kind: str, values: tuple[Any, ...]) -> str:
    """Return the word that tells an event from others of its kind: a state, a device or a disk."""
    if kind == "lifecycle":
        return _LIFECYCLE_WORDS[object_type].get(values[0], "")
    if kind == "agent-lifecycle":
        return _AGENT_WORDS.get(values[0], "")
    return next((value for value in values if isinstance(value, str)), "")


def subscribe(conn: Connection, note: Callable[[Event], None]) -> Subscription:
    """Call `note` for everything that happens on the host, from the event loop's thread.

    `note` must neither raise nor call libvirt; an event that the driver does not have is passed over, and so are
    those of a part of libvirt that does not run.
    (virConnectDomainEventRegisterAny and its kin for pools, networks, node devices and secrets)
    """
    return Subscription(conn, note)
