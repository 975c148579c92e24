"""Address ranges: what is taken, what is free, and what DHCP gives out of one."""

import ipaddress
from collections.abc import Iterable, Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# libvirt's own first choice, then what few home routers use.
CHOICES = (122, 124, 126, 130, 140, 150, 160, 170, 180, 190, 200, 210, 220, 230, 240)
# libvirt gives out no more than this by one <range>.
MOST_LEASES = 65535


def networks_of(addresses: Iterable[str]) -> list[Network]:
    """The ranges of these CIDR addresses; a lone address is no range."""
    interfaces = [ipaddress.ip_interface(address) for address in addresses]
    return [found.network for found in interfaces if found.network.num_addresses > 1]


def overlap(subnet: Network, taken: Iterable[Network]) -> Network | None:
    """The first of `taken` that shares addresses with `subnet`."""
    return next((other for other in taken if other.version == subnet.version and subnet.overlaps(other)), None)


def free(taken: Iterable[Network]) -> Iterator[ipaddress.IPv4Network]:
    """Usual private ranges of 256 addresses that share none with `taken`."""
    taken = list(taken)
    for third in CHOICES:
        subnet = ipaddress.IPv4Network(f"192.168.{third}.0/24")
        if overlap(subnet, taken) is None:
            yield subnet
    for second in range(100, 256):
        subnet = ipaddress.IPv4Network(f"10.{second}.0.0/24")
        if overlap(subnet, taken) is None:
            yield subnet


def host_address(asked: Interface) -> Interface:
    """The host's own address: the one that was written, or the first where only the range was."""
    if asked.ip != asked.network.network_address:
        return asked
    return ipaddress.ip_interface(f"{asked.network[1]}/{asked.network.prefixlen}")


def dhcp_range(own: ipaddress.IPv4Interface) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    """The longer run of addresses beside the host's own, as many as one DHCP range may have."""
    first, last = own.network[1], own.network[-2]
    if int(last) - int(own.ip) >= int(own.ip) - int(first):
        return own.ip + 1, ipaddress.IPv4Address(min(int(last), int(own.ip) + MOST_LEASES))
    return ipaddress.IPv4Address(max(int(first), int(own.ip) - MOST_LEASES)), own.ip - 1
