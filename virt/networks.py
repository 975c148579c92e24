"""Virtual networks."""

from dataclasses import dataclass
from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.translate import translated_errors
from virt.xml.network import Ip, Network

# Older libvirts have no way to ask for it.
_VALIDATE_SINCE = 7_008_000


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
    ips: tuple[IpFacts, ...]
    xml: str


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
