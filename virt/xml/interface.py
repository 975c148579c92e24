"""<interface> of a host, as the interface driver tells it."""

from virt.xml.base import Element
from virt.xml.fields import Children, Text
from virt.xml.network import Ip


class Protocol(Element):
    """<protocol>: the addresses of one family; udev's driver tells none."""

    tag = "protocol"
    family = Text("@family")
    ips = Children("ip", Ip)


class Interface(Element):
    """<interface>: `type` is ethernet, bridge, bond or vlan."""

    tag = "interface"
    type = Text("@type")
    name = Text("@name")
    mac = Text("mac/@address")
    protocols = Children("protocol", Protocol)
