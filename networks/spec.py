"""What a new network shall be: one shape for the page's form and the API.

`resolve` reads what was written; `check` looks at what the host is known to have. The job looks again, on the host.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from django.utils.translation import gettext as _

from hosts.models import Host
from networks import ranges
from networks.models import Interface, Network
from tasks.errors import Invalid, Words
from webvirt.sentences import listed

NAT, ROUTE, ISOLATED, BRIDGE = "nat", "route", "isolated", "bridge"
MODES = (NAT, ROUTE, ISOLATED, BRIDGE)
FORWARD = {NAT: "nat", ROUTE: "route", ISOLATED: "", BRIDGE: "bridge"}

# A network's name is a file's name on the host, and stands in dnsmasq's configuration.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
DEVICE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
IPV4_PREFIXES = range(8, 31)
IPV6_PREFIX = 64  # what guests need to choose addresses of their own

Errors = dict[str, list[Words]]


class Wanted(TypedDict):
    """A new network as asked for. `subnet` and `ipv6` are CIDR; without `subnet` the first free range is taken.

    A mode `bridge` has only a `bridge` of the host; no other mode has one.
    """

    host: int
    name: str
    mode: str
    subnet: NotRequired[str]
    dhcp: NotRequired[bool]
    dhcp_first: NotRequired[str]
    dhcp_last: NotRequired[str]
    ipv6: NotRequired[str]
    domain: NotRequired[str]
    bridge: NotRequired[str]
    autostart: NotRequired[bool]
    start: NotRequired[bool]


@dataclass(frozen=True)
class Spec:
    """A new network. `own` and `own6` are the host's addresses on it, `dhcp` the first and last that guests get.

    `is_proposed` is whether its IPv4 range was chosen here, not by who asked.
    """

    host: Host
    name: str
    mode: str
    own: ipaddress.IPv4Interface | None = None
    dhcp: tuple[ipaddress.IPv4Address, ipaddress.IPv4Address] | None = None
    own6: ipaddress.IPv6Interface | None = None
    domain: str = ""
    bridge: str = ""
    autostart: bool = True
    start: bool = True
    is_proposed: bool = False

    def as_arguments(self) -> dict[str, Any]:
        """The task's arguments."""
        return {
            "name": self.name,
            "forward": FORWARD[self.mode],
            "own": str(self.own) if self.own else "",
            "dhcp": [str(address) for address in self.dhcp] if self.dhcp else [],
            "own6": str(self.own6) if self.own6 else "",
            "proposed": self.is_proposed,
            "domain": self.domain,
            "bridge": self.bridge,
            "autostart": self.autostart,
            "start": self.start,
        }

    def as_request(self) -> dict[str, Any]:
        """What was asked for: the same again, though another range would be proposed by then."""
        if not self.is_proposed:
            return self.as_arguments()
        return self.as_arguments() | {"own": "proposed", "dhcp": self.dhcp is not None}


class Reader:
    """Reads what was written into a form's fields, and gathers what is wrong with it."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self.wanted = wanted
        self.errors: Errors = {}

    def fail(self, field: str, words: str) -> None:
        self.errors.setdefault(field, []).append(words)

    def text(self, field: str) -> str:
        return str(self.wanted.get(field) or "").strip()

    def matching(self, field: str, pattern: re.Pattern[str], words: str, *, text: str | None = None) -> str:
        found = self.text(field) if text is None else text
        if pattern.fullmatch(found) is None:
            self.fail(field, words)
        return found

    def address(self, field: str, version: int) -> Any:
        """The host's address on the network, with its range; None where there is none, or none that can be."""
        try:
            asked = ranges.host_address(ipaddress.ip_interface(self.text(field)))
        except (ValueError, IndexError):
            self.fail(field, how_to_write(version))
            return None
        words = fault_of_range(asked, version)
        if words:
            self.fail(field, words)
            return None
        return asked

    def dhcp(self, own: ipaddress.IPv4Interface) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address] | None:
        """What DHCP gives out: what was written, and for what was left out the longest run there is."""
        limits = list(ranges.dhcp_range(own))
        for place, field in enumerate(("dhcp_first", "dhcp_last")):
            if text := self.text(field):
                try:
                    limits[place] = ipaddress.IPv4Address(text)
                except ValueError:
                    self.fail(field, _("This is no IPv4 address."))
                    return None
                if limits[place] not in own.network or limits[place] in (own.network[0], own.network[-1]):
                    self.fail(field, _("This address is not in %(range)s.") % {"range": own.network})
                    return None
        first, last = limits
        if first > last:
            self.fail("dhcp_last", _("The last address comes before the first."))
        elif first <= own.ip <= last:
            self.fail("dhcp_first", _("The host itself has %(address)s: leave it out.") % {"address": own.ip})
        elif int(last) - int(first) >= ranges.MOST_LEASES:
            self.fail("dhcp_last", _("At most %(count)d addresses can be given out.") % {"count": ranges.MOST_LEASES})
        else:
            return first, last
        return None


def how_to_write(version: int) -> str:
    return _("Write a range as 192.168.150.0/24.") if version == 4 else _("Write a range as fd00:1::/64.")


def fault_of_range(asked: ranges.Interface, version: int) -> str:
    """What is wrong with the host having this address, in words; "" where nothing is."""
    if asked.version != version:
        return how_to_write(version)
    if version == 6 and asked.network.prefixlen != IPV6_PREFIX:
        return _("An IPv6 range of guests has /64.")
    if version == 4 and asked.network.prefixlen not in IPV4_PREFIXES:
        return _("An IPv4 range has a length from /8 to /30.")
    ip = asked.ip
    if ip.is_loopback or ip.is_multicast or ip.is_link_local or ip.is_unspecified:
        return _("These addresses have another use.")
    if version == 4 and (ip.is_reserved or ip.packed[0] == 0):
        return _("These addresses have another use.")
    if version == 4 and ip == asked.network.broadcast_address:
        return _("This is the range's broadcast address.")
    return ""


def resolve(wanted: Wanted, *, user: Any) -> Spec:
    """Read what was asked for. Raises Invalid with errors by field."""
    read = Reader(wanted)
    host = Host.objects.visible_to(user).with_status().filter(pk=wanted["host"]).first()
    if host is None:
        read.fail("host", _("There is no such host."))
    name = read.matching("name", NAME, _("Use letters, digits, “-”, “_” and “.”, at most 50, a letter or digit first."))
    mode = wanted["mode"]
    if mode not in MODES:
        read.fail("mode", _("Choose one of: %(words)s.") % {"words": listed(MODES)})
    fields = bridged(read) if mode == BRIDGE else own_range(read, host, mode)
    if read.errors or host is None:
        raise Invalid(_("See the fields marked below."), errors=read.errors)
    return Spec(
        host=host,
        name=name,
        mode=mode,
        autostart=bool(wanted.get("autostart", True)),
        start=bool(wanted.get("start", True)),
        **fields,
    )


def bridged(read: Reader) -> dict[str, Any]:
    for field in ("subnet", "dhcp_first", "dhcp_last", "ipv6", "domain"):
        if read.text(field):
            read.fail(field, _("Guests on a bridge of the host get their addresses from the network beyond it."))
    return {"bridge": read.matching("bridge", DEVICE, _("Name a bridge of the host, as br0."))}


def own_range(read: Reader, host: Host | None, mode: str) -> dict[str, Any]:
    if read.text("bridge"):
        read.fail("bridge", _("Only a network on a bridge of the host has one; libvirt makes the others' own."))
    fields: dict[str, Any] = {}
    if "subnet" not in read.wanted:
        for field in ("dhcp_first", "dhcp_last"):
            if read.text(field):
                read.fail(field, _("Write the range that this is an address of."))
        if host is not None:
            fields["own"] = ranges.host_address(ipaddress.ip_interface(str(proposed(taken_on([host])[host.pk]))))
            fields["is_proposed"] = True
    elif read.text("subnet") or mode != ISOLATED:
        fields["own"] = read.address("subnet", 4)
    if read.text("ipv6"):
        fields["own6"] = read.address("ipv6", 6)
    if not read.wanted.get("dhcp", True):
        for field in ("dhcp_first", "dhcp_last"):
            if read.text(field):
                read.fail(field, _("Without DHCP no address is given out."))
    elif fields.get("own") and not read.errors:
        fields["dhcp"] = read.dhcp(fields["own"])
    if domain := read.text("domain").lower():
        fields["domain"] = read.matching("domain", DOMAIN, _("Write a domain as lab.example."), text=domain)
    return fields


Taken = list[tuple[str, ranges.Network]]


def taken_on(hosts: Iterable[Host]) -> dict[int, Taken]:
    """The ranges that each of these hosts, by id, is known to have, each with what has it, in words."""
    taken: dict[int, Taken] = {host.pk: [] for host in hosts}
    kinds = ((Network, _("the network %(name)s")), (Interface, _("the host's interface %(name)s")))
    for model, words in kinds:
        for host, name, addresses in model.objects.filter(host__in=taken).values_list("host", "name", "addresses"):
            taken[host] += [(words % {"name": name}, subnet) for subnet in ranges.networks_of(addresses)]
    return taken


def proposed(taken: Taken) -> ipaddress.IPv4Network:
    """A range that shares nothing with what is taken. Raises Invalid where every usual one is."""
    found = next(ranges.free(subnet for _words, subnet in taken), None)
    if found is None:
        raise Invalid(_("See the fields marked below."), errors={"subnet": [_("Every usual range is taken.")]})
    return found


def check(spec: Spec) -> None:
    """Look at what the host is known to have. Raises Invalid with errors by field."""
    errors: Errors = {}
    if Network.objects.filter(host=spec.host, name=spec.name).exists():
        errors["name"] = [_("%(host)s has a network %(name)s already.") % {"host": spec.host.name, "name": spec.name}]
    taken = taken_on([spec.host])[spec.host.pk]
    for field, own in (("subnet", spec.own), ("ipv6", spec.own6)):
        for words, subnet in taken:
            if own is not None and ranges.overlap(own.network, [subnet]):
                errors[field] = [_("%(range)s is taken by %(what)s.") % {"range": subnet, "what": words}]
    known = dict(Interface.objects.filter(host=spec.host).values_list("name", "type"))
    # Where no interface has a type, the host does not tell which are bridges.
    if spec.bridge and any(known.values()) and known.get(spec.bridge) != "bridge":
        errors["bridge"] = [_("%(host)s has no bridge of this name.") % {"host": spec.host.name}]
    if errors:
        raise Invalid(_("See the fields marked below."), errors=errors)
