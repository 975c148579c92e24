"""Where a new guest can go: hosts that are up and that somebody manages, what they hold, and the best of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.rights import Action, allowed
from hosts.drivers import makes_guests
from hosts.models import Host
from instances.limits import Offer
from instances.models import Instance
from networks.models import Network
from storage.models import Pool, Volume

ISO_NAMES = Q(format="iso") | Q(name__iendswith=".iso")
DEFAULT = "default"


@dataclass(frozen=True)
class Place:
    """A host with what its running guests were promised. Sizes are bytes."""

    host: Host
    promised_vcpus: int
    promised_bytes: int

    @property
    def free_bytes(self) -> int:
        return max(self.host.status.memory_bytes - self.promised_bytes, 0)

    @property
    def acceleration(self) -> str:
        return _("KVM is chosen.") if self.host.status.kvm else _("QEMU's own emulation is chosen.")

    @property
    def closed(self) -> str:
        """Why it takes no new guests, in a word; "" where it does."""
        if self.host.maintenance:
            return _("in maintenance")
        return "" if makes_guests(self.host) else _("runs no QEMU")

    @cached_property
    def offer(self) -> Offer:
        return Offer(self.host.status)


def places(hosts: list[Host]) -> list[Place]:
    """Those of these hosts that are up, most free memory first."""
    up = [host for host in hosts if host.status.is_up]
    alive = Instance.objects.filter(host__in=up).exclude(state=Instance.State.SHUTOFF)
    promised = {
        row["host"]: row for row in alive.values("host").annotate(cpus=Sum("vcpus"), memory=Sum("memory_bytes"))
    }
    found = [
        Place(host, promised[host.pk]["cpus"], promised[host.pk]["memory"])
        if host.pk in promised
        else Place(host, 0, 0)
        for host in up
    ]
    return sorted(found, key=lambda place: place.free_bytes, reverse=True)


def images(user: Any, hosts: list[Host]) -> QuerySet[Volume]:
    """The ISO images in active pools of these hosts that `user` may see."""
    volumes = Volume.objects.visible_to(user).filter(ISO_NAMES, pool__host__in=hosts, pool__state=Pool.State.ACTIVE)
    return volumes.select_related("pool__host").order_by("name", "pool__host__name")


def pools(user: Any, hosts: list[Host]) -> list[Pool]:
    """Active pools of these hosts in which `user` may make disks; of each host the best for it first."""
    rows = Pool.objects.visible_to(user).filter(host__in=hosts, state=Pool.State.ACTIVE).select_related("host")
    usable = allowed(user, rows, Action.MANAGE)
    return sorted(usable, key=lambda pool: (pool.host.name, pool.name != DEFAULT, -pool.available_bytes))


def networks(user: Any, hosts: list[Host]) -> list[Network]:
    """Active networks of these hosts; of each host `default` first."""
    rows = Network.objects.visible_to(user).filter(host__in=hosts, active=True).select_related("host")
    return sorted(rows, key=lambda network: (network.host.name, network.name != DEFAULT, network.name))
