"""The host's own network interfaces."""

from dataclasses import dataclass

import libvirt

from virt.connection import Connection
from virt.errors import if_supported
from virt.translate import translated_errors
from virt.xml.device import NodeDevice
from virt.xml.interface import Interface
from virt.xml.network import Ip


@dataclass(frozen=True)
class InterfaceFacts:
    """An interface; `type` is ethernet, bridge, bond, vlan, or "" where the host does not say.

    `addresses` are (address, prefix); drivers that read udev tell none. `active` is whether its link is up.
    """

    name: str
    type: str
    mac: str
    active: bool
    addresses: tuple[tuple[str, int], ...]


def list_interfaces(conn: Connection) -> list[InterfaceFacts]:
    """Return the host's interfaces, in the order of their names.

    (virConnectListAllInterfaces; where the host has no driver for it virConnectListAllNodeDevices, which tells
    neither bridges nor addresses; none where it has neither.)
    """
    found = if_supported(lambda: _interfaces(conn))
    if found is None:
        found = if_supported(lambda: _devices(conn)) or []
    return sorted(found, key=lambda interface: interface.name)


@translated_errors()
def _interfaces(conn: Connection) -> list[InterfaceFacts]:
    found = []
    for handle in conn.handle.listAllInterfaces(0):
        try:
            interface = Interface.parse(handle.XMLDesc(0))
            active = bool(handle.isActive())
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_INTERFACE:
                continue  # gone since it was listed
            raise
        found.append(
            InterfaceFacts(
                name=interface.name or "",
                type=interface.type or "",
                mac=interface.mac or "",
                active=active,
                addresses=tuple(_address(ip) for protocol in interface.protocols for ip in protocol.ips if ip.address),
            )
        )
    return found


def _address(ip: Ip) -> tuple[str, int]:
    whole = 128 if ":" in (ip.address or "") else 32
    return ip.address or "", whole if ip.prefix is None else ip.prefix


@translated_errors()
def _devices(conn: Connection) -> list[InterfaceFacts]:
    found = []
    for handle in conn.handle.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET):
        try:
            device = NodeDevice.parse(handle.XMLDesc(0))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_NODE_DEVICE:
                continue  # gone since it was listed
            raise
        found.append(InterfaceFacts(device.interface or "", "", device.mac or "", device.link == "up", ()))
    return found
