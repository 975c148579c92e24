"""Domains: what there is, and what can be done with one.

Every function raises NotFound where the domain is gone, and Unreachable when the connection breaks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.definition import AGENT_CHANNEL
from virt.errors import NotFound, OperationFailed, Unsupported, if_supported
from virt.states import State, reason_word, state_of
from virt.translate import translated_errors
from virt.words import gettext_noop
from virt.xml.domain import Disk, DiskDevice, Domain, Graphics, Interface, Source

_QEMU = "QEMU"
_MANAGED_SAVE = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
_SNAPSHOTS = libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
# What each driver lets go of with a definition; others know none of these and refuse them as unknown flags.
_LEFTOVERS = {
    _QEMU: _MANAGED_SAVE
    | _SNAPSHOTS
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
    "TEST": _MANAGED_SAVE | _SNAPSHOTS,
    "Xen": _MANAGED_SAVE,
}
_SCREEN_CHUNK = 262_120
# The largest screen that QEMU can have, uncompressed, is under this.
_SCREEN_MAX = 256 * 1024 * 1024


@dataclass(frozen=True)
class DomainState:
    """A domain in the list; `reason` is libvirt's word for why it is in this state."""

    uuid: UUID
    name: str
    state: State
    reason: str
    autostart: bool
    persistent: bool
    managed_save: bool


@dataclass(frozen=True)
class DiskFacts:
    """A disk; `path`, or `pool` and `volume`, say where it is; empty drives have neither."""

    device: str
    target: str
    bus: str
    format: str
    path: str
    pool: str
    volume: str
    readonly: bool
    shareable: bool


@dataclass(frozen=True)
class InterfaceFacts:
    """A network card; `network`, or `bridge` where it hangs on a bridge of the host."""

    type: str
    network: str
    bridge: str
    mac: str
    model: str


@dataclass(frozen=True)
class GraphicsFacts:
    """A display server; `port` is None while it has none, as in a guest that is off."""

    type: str
    port: int | None
    listen: str


@dataclass(frozen=True)
class DomainFacts:
    """A domain as it is now; `xml_inactive` is what it will be after its next start.

    `xml_inactive` equals `xml_live` for one that is off, and is empty for a transient one. Devices
    are those of `xml_live`. `agent` says whether the guest's agent is connected, None where it has no channel.
    """

    uuid: UUID
    name: str
    title: str
    state: State
    reason: str
    autostart: bool
    persistent: bool
    has_managed_save: bool
    vcpus: int
    max_memory_bytes: int
    virt_type: str
    machine: str
    arch: str
    firmware: str
    disks: tuple[DiskFacts, ...]
    interfaces: tuple[InterfaceFacts, ...]
    graphics: tuple[GraphicsFacts, ...]
    agent: bool | None
    xml_live: str
    xml_inactive: str


@translated_errors()
def list_all(conn: Connection) -> list[DomainState]:
    """Return all domains, in four calls however many there are, or one more for each where the driver has no bulk call.

    (virConnectGetAllDomainStats, not waiting for busy domains, or virDomainGetState; virConnectListAllDomains)
    """
    handle = conn.handle
    persistent = _listed(handle, libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
    autostart = _listed(handle, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
    saved = _listed(handle, libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)
    found = []
    for domain, number, reason in _states(conn):
        uuid = domain.UUIDString()
        found.append(
            DomainState(
                uuid=UUID(uuid),
                name=domain.name(),
                state=state_of(number),
                reason=reason_word(number, reason),
                autostart=uuid in autostart,
                persistent=uuid in persistent,
                managed_save=uuid in saved,
            )
        )
    return found


def _states(conn: Connection) -> Iterator[tuple[libvirt.virDomain, int, int]]:
    """All domains, each with the numbers of its state and of why it is in it."""
    try:
        with translated_errors():
            told = conn.handle.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, nowait(conn))
    except Unsupported:
        for domain in conn.handle.listAllDomains(0):
            try:
                with translated_errors():
                    number, reason = domain.state(0)
            except NotFound:
                continue  # gone since it was listed
            yield domain, number, reason
        return
    for domain, stats in told:
        yield domain, stats.get("state.state", libvirt.VIR_DOMAIN_NOSTATE), stats.get("state.reason", 0)


@translated_errors()
def describe(conn: Connection, uuid: UUID) -> DomainFacts:
    """Return one domain's facts; NotFound where it is gone.

    (virDomainGetXMLDesc, virDomainGetState, virDomainIsPersistent, virDomainGetAutostart,
    virDomainHasManagedSaveImage)
    """
    handle = conn.domain(uuid)
    state, reason = handle.state(0)
    persistent = bool(handle.isPersistent())
    live: str = handle.XMLDesc(0)
    inactive: str = handle.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) if persistent else ""
    domain = Domain.parse(live)
    return DomainFacts(
        uuid=uuid,
        name=handle.name(),
        title=domain.title or "",
        state=state_of(state),
        reason=reason_word(state, reason),
        autostart=persistent and _autostart(handle),
        persistent=persistent,
        has_managed_save=persistent and bool(handle.hasManagedSaveImage(0)),
        vcpus=domain.vcpus or 0,
        max_memory_bytes=domain.memory_bytes or 0,
        virt_type=domain.node.get("type", ""),
        machine=domain.machine or "",
        arch=domain.arch or "",
        firmware="uefi" if _is_uefi(domain) else "bios",
        disks=tuple(_disk(disk) for disk in domain.disks),
        interfaces=tuple(_interface(interface) for interface in domain.interfaces),
        graphics=tuple(_graphics(graphics) for graphics in domain.graphics),
        agent=_agent(domain),
        xml_live=live,
        xml_inactive=inactive,
    )


def _autostart(handle: libvirt.virDomain) -> bool:
    """Whether it starts with its host; False where the driver does not know such a thing."""

    @translated_errors()
    def ask() -> int:
        answer: int = handle.autostart()
        return answer

    return bool(if_supported(ask))


def _agent(domain: Domain) -> bool | None:
    states = [channel.target_state for channel in domain.channels if channel.target_name == AGENT_CHANNEL]
    return "connected" in states if states else None


def _is_uefi(domain: Domain) -> bool:
    return domain.firmware == "efi" or domain.loader_type == "pflash"


def _disk(disk: Disk) -> DiskFacts:
    source = disk.source
    return DiskFacts(
        device=disk.node.get("device", "disk"),
        target=disk.target or "",
        bus=disk.bus.value if disk.bus else "",
        format=disk.format or "",
        path=(source.path if source else None) or "",
        pool=(source.pool if source else None) or "",
        volume=(source.volume if source else None) or "",
        readonly=disk.readonly,
        shareable=disk.shareable,
    )


def _interface(interface: Interface) -> InterfaceFacts:
    return InterfaceFacts(
        type=interface.type or "",
        network=interface.network or "",
        bridge=interface.bridge or "",
        mac=interface.mac or "",
        model=interface.model or "",
    )


def _graphics(graphics: Graphics) -> GraphicsFacts:
    port = graphics.port
    return GraphicsFacts(
        type=graphics.type or "",
        port=port if port is not None and port > 0 else None,
        listen=graphics.listen or graphics.socket or "",
    )


def nowait(conn: Connection) -> int:
    """Return the flag for bulk figures that skips busy domains, for virt alone; only QEMU's driver takes it."""
    return libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT if conn.driver == _QEMU else 0


def _listed(handle: libvirt.virConnect, flag: int) -> set[str]:
    return {domain.UUIDString() for domain in handle.listAllDomains(flag)}


@translated_errors()
def name_taken(conn: Connection, name: str) -> bool:
    """Say whether a domain has this name (virConnectListAllDomains)."""
    return any(domain.name() == name for domain in conn.handle.listAllDomains(0))


@translated_errors()
def start(conn: Connection, uuid: UUID) -> None:
    """Start a domain, or restore it where it was saved (virDomainCreate); InvalidState if it runs."""
    conn.domain(uuid).create()


@translated_errors()
def shutdown(conn: Connection, uuid: UUID, *, by_signal: bool = False) -> None:
    """Ask the guest to shut down, by agent or ACPI, or as LXC's do, by SIGTERM; it may take its time.

    (virDomainShutdownFlags)
    """
    conn.domain(uuid).shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_SIGNAL if by_signal else 0)


@translated_errors()
def reboot(conn: Connection, uuid: UUID) -> None:
    """Ask the guest to reboot (virDomainReboot)."""
    conn.domain(uuid).reboot(0)


@translated_errors()
def reset(conn: Connection, uuid: UUID) -> None:
    """Press the reset button (virDomainReset)."""
    conn.domain(uuid).reset(0)


@translated_errors()
def destroy(conn: Connection, uuid: UUID) -> None:
    """Pull the plug (virDomainDestroy)."""
    conn.domain(uuid).destroy()


@translated_errors()
def suspend(conn: Connection, uuid: UUID) -> None:
    """Stop the guest's processors, memory kept (virDomainSuspend)."""
    conn.domain(uuid).suspend()


@translated_errors()
def resume(conn: Connection, uuid: UUID) -> None:
    """Let a paused guest go on (virDomainResume)."""
    conn.domain(uuid).resume()


@translated_errors()
def set_autostart(conn: Connection, uuid: UUID, autostart: bool) -> None:
    """Say whether the domain starts with its host (virDomainSetAutostart); InvalidState if transient."""
    conn.domain(uuid).setAutostart(int(autostart))


@translated_errors()
def define(conn: Connection, domain: Domain) -> UUID:
    """Define a domain, or change the definition of the one with its UUID (virDomainDefineXMLFlags, VALIDATE).

    Raises InvalidDefinition, Unsupported, or AlreadyExists when another domain has the name.
    """
    defined = conn.handle.defineXMLFlags(domain.to_xml(), libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    return UUID(defined.UUIDString())


@translated_errors()
def undefine(conn: Connection, uuid: UUID) -> None:
    """Forget a domain, with its NVRAM, saved memory and snapshots' records (virDomainUndefineFlags).

    Disks stay. A running domain runs on and is gone when it ends.
    """
    conn.domain(uuid).undefineFlags(_LEFTOVERS.get(conn.driver, 0))


@translated_errors()
def change_media(conn: Connection, uuid: UUID, target: str, path: str | None, *, force: bool = False) -> None:
    """Put the image at `path` into the CD drive `target` (as `sda`), or eject with None.

    Now and for the next start, each as the drive is there (virDomainUpdateDeviceFlags): its place in the boot order
    is another one where the domain was started from it for once. NotFound without such a drive; Busy where the
    guest holds it locked, unless `force`.
    """
    domain = conn.domain(uuid)
    forced = libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE if force else 0
    changes: list[tuple[Disk, int]] = []
    if domain.isActive():
        changes.append((_cd_drive(Domain.parse(domain.XMLDesc(0)), target), libvirt.VIR_DOMAIN_AFFECT_LIVE))
    if domain.isPersistent():
        kept = Domain.parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        changes.append((_cd_drive(kept, target), libvirt.VIR_DOMAIN_AFFECT_CONFIG))
    for drive, flags in changes:
        drive.backing = None
        drive.source = None
        drive.type = "file"
        if path is not None:
            drive.source = Source(file=path)
        domain.updateDeviceFlags(drive.to_xml(), flags | forced)


def _cd_drive(domain: Domain, target: str) -> Disk:
    for disk in domain.disks:
        if disk.target == target and disk.device is DiskDevice.CDROM:
            return disk
    raise NotFound(gettext_noop("The guest has no CD drive %(target)s."), params={"target": target})


@translated_errors()
def screenshot(conn: Connection, uuid: UUID) -> tuple[bytes, str]:
    """Return the guest's first screen as an image and its MIME type (virDomainScreenshot).

    image/png, or image/x-portable-pixmap from QEMU before 7.1. InvalidState where it does not run
    or has no screen.
    """
    domain = conn.domain(uuid)
    stream = conn.handle.newStream(0)
    try:
        mime: str = domain.screenshot(stream, 0, 0)
        image = bytearray()
        while chunk := stream.recv(_SCREEN_CHUNK):
            image += chunk
            if len(image) > _SCREEN_MAX:
                raise OperationFailed(gettext_noop("The host sent a screen that is too large to be one."))
        stream.finish()
    except BaseException:
        stream.abort()
        raise
    return bytes(image), mime


@translated_errors()
def graphics_fd(conn: Connection, uuid: UUID, index: int = 0) -> int:
    """Return a socket connected to the guest's display, its password passed over (virDomainOpenGraphicsFD).

    Only over a unix socket; the caller closes the descriptor.
    """
    descriptor: int = conn.domain(uuid).openGraphicsFD(index, libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)
    return descriptor
