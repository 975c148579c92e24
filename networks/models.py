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
    `dhcp_ranges` pairs [first, last].
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="networks")
    uuid = models.UUIDField()
    name = models.CharField(max_length=300)
    active = models.BooleanField(default=False)
    autostart = models.BooleanField(default=False)
    persistent = models.BooleanField(default=True)
    bridge = models.CharField(max_length=64, blank=True)
    forward = models.CharField(max_length=32, blank=True)
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
    def state(self) -> str:
        return "active" if self.active else "inactive"

    def get_state_display(self) -> Any:
        return _("Active") if self.active else _("Inactive")

    @property
    def stale_since(self) -> Any:
        """Since when what is shown is only the last known; None while the host is up."""
        return self.host.status.stale_since

    @property
    def mode_word(self) -> Any:
        return MODES.get(self.forward, self.forward)


class Attachment(models.Model):
    """A guest's card on a network, as the guest's definition says; the monitor writes it."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="+")
    network_name = models.CharField(max_length=300)
    mac = models.CharField(max_length=17)
    instance_uuid = models.UUIDField()
    instance_name = models.CharField(max_length=300)

    class Meta:
        indexes = [models.Index(fields=["host", "network_name"])]
        constraints = [
            models.UniqueConstraint(name="card_once_a_guest", fields=["host", "instance_uuid", "mac"]),
        ]

    def __str__(self) -> str:
        return f"{self.instance_name} on {self.network_name}"
