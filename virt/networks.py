"""Virtual networks."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import InvalidState, NotFound
from virt.translate import translated_errors
from virt.xml.domain import Domain
from virt.xml.network import Ip, Network

# Older libvirts have no way to ask for it.
_VALIDATE_SINCE = 7_008_000
# What an IPv4 address without netmask or prefix means, by its first byte (classes A, B and C).
_CLASSES = ((128, 8), (192, 16), (256, 24))


@dataclass(frozen=True)
class NetworkState:
    """A network in the list."""

    uuid: UUID
    name: str
    active: bool
    autostart: bool
    persistent: bool


@dataclass(frozen=True)
class IpFacts:
    """An address of the host on a network; `prefix` is None where libvirt leaves it to the class.

    `ranges` are first and last address that DHCP gives out.
    """

    family: str
    address: str
    prefix: int | None
    netmask: str
    ranges: tuple[tuple[str, str], ...]

    @property
    def cidr(self) -> str:
        """The address with its prefix, as 192.168.122.1/24."""
        if self.prefix is not None or self.netmask:
            length = self.netmask if self.prefix is None else self.prefix
            return ipaddress.ip_interface(f"{self.address}/{length}").with_prefixlen
        address = ipaddress.ip_address(self.address)
        if isinstance(address, ipaddress.IPv6Address):
            return f"{address}/64"
        return f"{address}/{next(prefix for below, prefix in _CLASSES if address.packed[0] < below)}"


@dataclass(frozen=True)
class NetworkFacts:
    """A network; `forward_mode` is empty where it is isolated."""

    uuid: UUID
    name: str
    active: bool
    autostart: bool
    persistent: bool
    bridge: str
    forward_mode: str
    domain: str
    ips: tuple[IpFacts, ...]
    xml: str


@dataclass(frozen=True)
class LeaseFacts:
    """An address that a network's DHCP server gave out: `mac` in lower case, "" where it is not known.

    `expires` is None for one without an end.
    """

    mac: str
    address: str
    hostname: str
    expires: datetime | None


@translated_errors()
def list_networks(conn: Connection) -> list[NetworkState]:
    """Return all networks, in four calls however many there are (virConnectListAllNetworks)."""
    handle = conn.handle
    active = _listed(handle, libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE)
    autostart = _listed(handle, libvirt.VIR_CONNECT_LIST_NETWORKS_AUTOSTART)
    persistent = _listed(handle, libvirt.VIR_CONNECT_LIST_NETWORKS_PERSISTENT)
    return [
        NetworkState(
            uuid=UUID(uuid := network.UUIDString()),
            name=network.name(),
            active=uuid in active,
            autostart=uuid in autostart,
            persistent=uuid in persistent,
        )
        for network in handle.listAllNetworks(0)
    ]


def _listed(handle: libvirt.virConnect, flag: int) -> set[str]:
    return {network.UUIDString() for network in handle.listAllNetworks(flag)}


@translated_errors()
def describe(conn: Connection, uuid: UUID) -> NetworkFacts:
    """Return one network's facts; NotFound where it is gone (virNetworkGetXMLDesc)."""
    handle = conn.network(uuid)
    xml: str = handle.XMLDesc(0)
    network = Network.parse(xml)
    persistent = bool(handle.isPersistent())
    return NetworkFacts(
        uuid=uuid,
        name=handle.name(),
        active=bool(handle.isActive()),
        autostart=persistent and bool(handle.autostart()),
        persistent=persistent,
        bridge=network.bridge or "",
        forward_mode=network.forward_mode or "",
        domain=network.domain or "",
        ips=tuple(_ip(ip) for ip in network.ips),
        xml=xml,
    )


def _ip(ip: Ip) -> IpFacts:
    return IpFacts(
        family=ip.family or "ipv4",
        address=ip.address or "",
        prefix=ip.prefix,
        netmask=ip.netmask or "",
        ranges=tuple((entry.start or "", entry.end or "") for entry in ip.ranges),
    )


@translated_errors()
def define_network(conn: Connection, network: Network, *, autostart: bool, start: bool) -> UUID:
    """Define a network and start it; nothing stays where a step fails.

    AlreadyExists where its name, UUID or bridge is another's (virNetworkDefineXMLFlags VALIDATE,
    virNetworkCreate, virNetworkSetAutostart).
    """
    if conn.lib_version >= _VALIDATE_SINCE:
        handle = conn.handle.networkDefineXMLFlags(network.to_xml(), libvirt.VIR_NETWORK_DEFINE_VALIDATE)
    else:
        handle = conn.handle.networkDefineXML(network.to_xml())
    try:
        if start:
            handle.create()
        handle.setAutostart(int(autostart))
    except libvirt.libvirtError:
        if handle.isActive():
            handle.destroy()
        handle.undefine()
        raise
    return UUID(handle.UUIDString())


@translated_errors()
def start(conn: Connection, uuid: UUID, *, autostart: bool | None = None) -> None:
    """Start a network that is off, and set its autostart where given (virNetworkCreate)."""
    handle = conn.network(uuid)
    if not handle.isActive():
        handle.create()
    if autostart is not None:
        handle.setAutostart(int(autostart))


@translated_errors()
def stop(conn: Connection, uuid: UUID) -> None:
    """Stop a network; one that is off stays so, and a transient one is gone (virNetworkDestroy)."""
    handle = conn.network(uuid)
    if handle.isActive():
        handle.destroy()


@translated_errors()
def set_autostart(conn: Connection, uuid: UUID, autostart: bool) -> None:
    """Say whether a network starts with its host (virNetworkSetAutostart)."""
    conn.network(uuid).setAutostart(int(autostart))


def remove(conn: Connection, uuid: UUID) -> None:
    """Stop a network and forget its definition; one that is gone is gone (virNetworkDestroy, virNetworkUndefine)."""
    try:
        _remove(conn, uuid)
    except NotFound:
        return


@translated_errors()
def _remove(conn: Connection, uuid: UUID) -> None:
    handle = conn.network(uuid)
    persistent = handle.isPersistent()
    if handle.isActive():
        handle.destroy()
    if persistent:
        handle.undefine()


@translated_errors()
def leases(conn: Connection) -> dict[UUID, list[LeaseFacts]]:
    """Return what the DHCP servers of all active networks have given out and not taken back, by network.

    (virConnectListAllNetworks, virNetworkGetDHCPLeases)
    """
    found: dict[UUID, list[LeaseFacts]] = {}
    for network in conn.handle.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
        try:
            with translated_errors():
                given = network.DHCPLeases()
        except (NotFound, InvalidState):
            # Stopped since it was listed.
            continue
        found[UUID(network.UUIDString())] = [_lease(lease) for lease in given]
    return found


def _lease(lease: dict[str, Any]) -> LeaseFacts:
    return LeaseFacts(
        mac=(lease["mac"] or "").lower(),
        address=lease["ipaddr"],
        hostname=lease["hostname"] or "",
        expires=datetime.fromtimestamp(lease["expirytime"], UTC) if lease["expirytime"] else None,
    )


@translated_errors()
def users_of(conn: Connection, name: str) -> list[tuple[UUID, str, bool]]:
    """Return UUID, name and whether it runs of every domain with a card on the network `name`.

    Looks at live and next definitions (virDomainGetXMLDesc for each domain).
    """
    found = []
    for domain in conn.handle.listAllDomains(0):
        try:
            active = bool(domain.isActive())
            texts = [domain.XMLDesc(0)]
            if active and domain.isPersistent():
                texts.append(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                continue
            raise
        if any(card.network == name for text in texts for card in Domain.parse(text).interfaces):
            found.append((UUID(domain.UUIDString()), domain.name(), active))
    return found
