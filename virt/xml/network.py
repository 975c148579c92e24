"""<network>."""

from virt.xml.base import Element
from virt.xml.fields import Children, Flag, Int, Text


class DhcpRange(Element):
    """<range>: the addresses that the network's DHCP server gives out."""

    tag = "range"
    start = Text("@start")
    end = Text("@end")


class Ip(Element):
    """<ip>: an address of the host on the network; IPv4 networks give netmask or prefix."""

    tag = "ip"
    family = Text("@family")
    address = Text("@address")
    netmask = Text("@netmask")
    prefix = Int("@prefix")
    ranges = Children("dhcp/range", DhcpRange)


class Network(Element):
    """<network>: `forward_mode` None is an isolated network; `domain` is the DNS domain of its guests."""

    tag = "network"
    name = Text("name")
    uuid = Text("uuid")
    forward_mode = Text("forward/@mode")
    nat_ipv6 = Flag("forward/nat/@ipv6")
    bridge = Text("bridge/@name")
    stp = Flag("bridge/@stp", words=("on", "off"))
    domain = Text("domain/@name")
    ips = Children("ip", Ip)
