"""Hosts that were added more than once: each guest of such a machine is listed, and counted, once for each of them."""

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

from hosts.models import Host

Identity = tuple[str, str, str]
SESSION = "/session"


def twins_of(host: Host) -> list[Host]:
    """The other hosts that lead to the same libvirt on the same machine."""
    mine = identity(host)
    if mine is None:
        return []
    same = Host.objects.with_status().filter(status__host_uuid=host.status.host_uuid).exclude(pk=host.pk)
    return [other for other in same if identity(other) == mine]


def twins_among(hosts: Iterable[Host]) -> list[list[Host]]:
    """Those of these hosts, with their status, that are the same; each group in the order of their adding."""
    groups: dict[Identity, list[Host]] = defaultdict(list)
    for host in sorted(hosts, key=lambda host: host.pk):
        if (found := identity(host)) is not None:
            groups[found].append(host)
    return [group for group in groups.values() if len(group) > 1]


def identity(host: Host) -> Identity | None:
    """What two hosts that are the same have in common; None where it is not known.

    Several drivers tell one machine's UUID, each of guests of its own, and so does each user's own libvirt.
    """
    if not host.status.host_uuid:
        return None
    parts = urlsplit(host.uri)
    own = (parts.username or "") if parts.path == SESSION else SESSION
    return host.status.host_uuid, host.status.driver, own
