"""Guests as last seen on their hosts."""

import json
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant
from accounts.rights import Ref, visible
from hosts.models import Host, Known


class Readable(json.JSONEncoder):
    """JSON in which every character is itself, so that a text in it can be searched for in any language."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False})


class InstanceQuerySet(models.QuerySet["Instance"]):
    def visible_to(self, user: Any) -> Self:
        return visible(self, user, scope=Grant.Scope.INSTANCE)  # type: ignore[return-value]

    def with_host(self) -> Self:
        """Rows with their host and its state, in the same query."""
        return self.select_related("host", "host__status")


class Instance(models.Model):
    """A domain as last seen on its host. Written by the monitor alone.

    `title`, `notes` and `tags` (words) are kept in its definition on the host.

    `memory_bytes` is the most it may have. `disks` are objects {device, target, bus, format, path,
    readonly, shareable}, `interfaces` {network, bridge, mac, model}, `graphics` {type, port,
    listen}, as its persistent definition has them, or its live one where it has no other. `addresses`
    are {address, source, mac}, of the source that knows best ("agent", "lease" or "arp"); none while it is off.
    `agent` says whether its agent is connected, None where it has no channel for one.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        SHUTOFF = "shutoff", _("Shut off")
        SHUTTING_DOWN = "shutting_down", _("Shutting down")
        CRASHED = "crashed", _("Crashed")
        SUSPENDED = "suspended", _("Suspended")
        UNKNOWN = "unknown", _("Unknown")

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="instances")
    uuid = models.UUIDField()
    name = models.CharField(max_length=300)
    title = models.CharField(max_length=500, blank=True)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list, encoder=Readable)
    state = models.CharField(max_length=16, choices=State, default=State.UNKNOWN)
    reason = models.CharField(max_length=64, blank=True)
    state_since = models.DateTimeField(null=True)
    vcpus = models.PositiveIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    autostart = models.BooleanField(default=False)
    persistent = models.BooleanField(default=True)
    has_managed_save = models.BooleanField(default=False)
    disks = models.JSONField(default=list)
    interfaces = models.JSONField(default=list)
    graphics = models.JSONField(default=list)
    addresses = models.JSONField(default=list)
    agent = models.BooleanField(null=True)
    xml = models.TextField(blank=True)
    inactive_xml = models.TextField(blank=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(name="guest_once_a_host", fields=["host", "uuid"])]
        indexes = [models.Index(fields=["name"]), models.Index(fields=["state"])]

    def __str__(self) -> str:
        return self.name

    def get_state_display(self) -> str:  # type: ignore[no-redef] # Django leaves it where there is one
        """As Django's own, which goes through all choices each time: a list has hundreds."""
        return str(self.State(self.state).label)

    @property
    def ref(self) -> Ref:
        return Ref("instance", self.host_id, self.uuid, self.name)

    @property
    def lock_key(self) -> str:
        """Changes of one guest wait for each other under this key."""
        return f"guest:{self.host_id}:{self.uuid}"

    @property
    def stale_since(self) -> Any:
        """Since when what is shown is only the last known; None while the host is up."""
        return self.host.status.stale_since

    @property
    def is_defined(self) -> bool:
        """Whether its definition was ever read; until then no more is known than what a list of guests says."""
        return self.vcpus > 0

    @property
    def definition(self) -> Known:
        """How far its definition is known."""
        return self.host.status.definitions if self.is_defined else Known.UNREAD

    @property
    def ips(self) -> list[str]:
        """Its addresses, the first the one to try first."""
        return [known["address"] for known in self.addresses]

    @property
    def has_screen(self) -> bool:
        return self.state in (self.State.RUNNING, self.State.PAUSED) and bool(self.graphics)
