"""Virtual networks as last seen, and who is attached."""

from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant
from accounts.rights import Ref, visible
from hosts.models import Host

MODES = {
    "": _("isolated"),
    "nat": _("NAT"),
    "route": _("routed"),
    "open": _("open"),
    "bridge": _("bridge"),
    "private": _("private"),
    "vepa": _("VEPA"),
    "passthrough": _("pass-through"),
    "hostdev": _("PCI device"),
}


class NetworkQuerySet(models.QuerySet["Network"]):
    def visible_to(self, user: Any) -> Self:
        return visible(self, user, scope=Grant.Scope.NETWORK)  # type: ignore[return-value]

    def with_host(self) -> Self:
        """Rows with their host and its state, in the same query."""
        return self.select_related("host", "host__status")


class Network(models.Model):
    """A virtual network as last seen on its host.

    `forward` is libvirt's forward mode, "" for an isolated network. `addresses` are CIDR strings,
    `dhcp_ranges` pairs [first, last], `domain` is the DNS domain of its guests.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="networks")
    uuid = models.UUIDField()
    name = models.CharField(max_length=300)
    active = models.BooleanField(default=False)
    autostart = models.BooleanField(default=False)
    persistent = models.BooleanField(default=True)
    bridge = models.CharField(max_length=64, blank=True)
    forward = models.CharField(max_length=32, blank=True)
    domain = models.CharField(max_length=255, blank=True)
    addresses = models.JSONField(default=list)
    dhcp_ranges = models.JSONField(default=list)
    xml = models.TextField(blank=True)

    objects = NetworkQuerySet.as_manager()

    class Meta:
        ordering = ["name", "host__name"]
        constraints = [models.UniqueConstraint(name="network_once_a_host", fields=["host", "uuid"])]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> Ref:
        return Ref("network", self.host_id, self.uuid, self.name)

    @property
    def lock_key(self) -> str:
        """Changes of one network wait for each other under this key."""
        return f"network:{self.host_id}:{self.uuid}"

    @property
    def state(self) -> str:
        return "active" if self.active else "inactive"

    def get_state_display(self) -> Any:
        return _("Active") if self.active else _("Inactive")

    @property
    def stale_since(self) -> Any:
        """Since when what is shown is only the last known; None while the host, and its networks, can be asked."""
        return self.host.status.part_stale_since("network")

    @property
    def away(self) -> dict[str, str] | None:
        """Why it cannot be asked though its host is up, in the reader's language."""
        return self.host.status.part_away("network")

    @property
    def mode_word(self) -> Any:
        return MODES.get(self.forward, self.forward)


class Attachment(models.Model):
    """A guest's card on a network, as the guest's definition says; the monitor writes it.

    `running` is whether the guest runs and is plugged into it now.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="+")
    network_name = models.CharField(max_length=300)
    mac = models.CharField(max_length=17)
    instance_uuid = models.UUIDField()
    instance_name = models.CharField(max_length=300)
    running = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["host", "network_name"])]
        constraints = [
            models.UniqueConstraint(name="card_once_a_guest", fields=["host", "instance_uuid", "mac"]),
        ]

    def __str__(self) -> str:
        return f"{self.instance_name} on {self.network_name}"


class Lease(models.Model):
    """An address that a network's DHCP server gave to a card; the monitor writes it.

    `mac` is in lower case, and not always of Ethernet; `expires` is None for a lease without an end.
    """

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="leases")
    mac = models.CharField(max_length=64)
    address = models.GenericIPAddressField()
    hostname = models.CharField(max_length=255, blank=True)
    expires = models.DateTimeField(null=True)

    class Meta:
        ordering = ["address"]
        indexes = [models.Index(fields=["mac"])]
        constraints = [models.UniqueConstraint(name="address_once_a_network", fields=["network", "address"])]

    def __str__(self) -> str:
        return f"{self.address} of {self.mac}"


class InterfaceQuerySet(models.QuerySet["Interface"]):
    def visible_to(self, user: Any) -> Self:
        """Interfaces of the hosts that were granted as such; what is granted of a single object shows none."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        grants = Grant.objects.of(user)
        hosts = grants.filter(scope=Grant.Scope.HOST).values("host_id")
        return self.filter(models.Exists(grants.filter(scope=Grant.Scope.EVERYTHING)) | models.Q(host_id__in=hosts))


class Interface(models.Model):
    """A network interface of a host; the monitor writes it.

    `type` is ethernet, bridge, bond, vlan, or "" where the host does not say. `addresses` are CIDR strings; many
    hosts tell none.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="interfaces")
    name = models.CharField(max_length=64)
    type = models.CharField(max_length=32, blank=True)
    mac = models.CharField(max_length=64, blank=True)
    active = models.BooleanField(default=False)
    addresses = models.JSONField(default=list)

    objects = InterfaceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "host__name"]
        constraints = [models.UniqueConstraint(name="interface_once_a_host", fields=["host", "name"])]

    def __str__(self) -> str:
        return self.name
