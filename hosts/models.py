"""Hosts: what was configured, and what the monitor last saw."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant
from accounts.rights import Ref, visible
from hosts.addresses import LONGEST_NAME, LONGEST_URI
from hosts.keys import HostKey
from tasks.errors import error_words
from virt.errors import HostKeyChanged


class HostQuerySet(models.QuerySet["Host"]):
    def visible_to(self, user: Any) -> Self:
        return visible(self, user, scope=Grant.Scope.HOST, host="pk", uuid="pk")  # type: ignore[return-value]

    def matching(self, text: str) -> Self:
        """Hosts with `text` in their name, address or own host name."""
        named = models.Q(name__icontains=text) | models.Q(uri__icontains=text)
        return self.filter(named | models.Q(status__hostname__icontains=text)) if text else self

    def with_status(self) -> Self:
        """Hosts with what the monitor last saw, in the same query; without the large XML, which few need."""
        return self.select_related("status").defer("status__capabilities_xml", "status__domcapabilities_xml")

    def with_reach(self) -> Self:
        """Hosts with their name and what reaches them alone: what is written about one may be long."""
        return self.only("name", "uri", "sealed", "host_key")


class Host(models.Model):
    """A libvirt host, as configured. Written by this app's services alone.

    `sealed` are its secrets, encrypted (hosts.secrets). `host_key` is the ssh key that was confirmed to be its
    own (`KIND BASE64`), by whom and when. A host in `maintenance` gets no new guests.
    """

    name = models.CharField(max_length=LONGEST_NAME, unique=True)
    uri = models.CharField(max_length=LONGEST_URI)
    sealed = models.TextField(blank=True)
    host_key = models.TextField(blank=True)
    host_key_at = models.DateTimeField(null=True)
    host_key_by = models.CharField(max_length=150, blank=True)
    notes = models.TextField(blank=True)
    maintenance = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = HostQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> Ref:
        return Ref("host", self.pk, None, self.name)

    @property
    def key(self) -> HostKey | None:
        """The ssh key that was confirmed to be its own."""
        return HostKey.parse(self.host_key) if self.host_key else None

    @property
    def reach(self) -> tuple[str, str, str]:
        """All by which it is reached: where one of them changes, connections are made anew."""
        return self.uri, self.sealed, self.host_key


class Known(models.TextChoices):
    """How far what a host says of one of its objects is known: since it was last reached, from before, or not yet."""

    READ = "read"
    LAST_KNOWN = "last_known"
    UNREAD = "unread"


class HostStatus(models.Model):
    """A host as last seen. Written by the monitor alone.

    `since` is when the state began, `last_seen` when the host last answered, `synced_at` when
    inventory last agreed with it. Sizes are bytes. `kvm_reason` says in a template why KVM is or is not used.
    `host_uuid` is the machine's own, as its libvirt tells it.
    `away` has, by part (storage, network, nodedev), `since` and the error of each modular daemon that does not run.
    """

    class State(models.TextChoices):
        CONNECTING = "connecting", _("Connecting")
        UP = "up", _("Up")
        DOWN = "down", _("Not reachable")
        REFUSED = "refused", _("Refused")

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="status", primary_key=True)
    state = models.CharField(max_length=16, choices=State, default=State.CONNECTING)
    error = models.JSONField(null=True)
    since = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    hostname = models.CharField(max_length=255, blank=True)
    host_uuid = models.CharField(max_length=36, blank=True)
    driver = models.CharField(max_length=32, blank=True)
    libvirt_version = models.CharField(max_length=32, blank=True)
    hypervisor_version = models.CharField(max_length=32, blank=True)
    arch = models.CharField(max_length=32, blank=True)
    cpu_model = models.CharField(max_length=200, blank=True)
    cpus = models.PositiveIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    kvm = models.BooleanField(default=False)
    kvm_reason = models.CharField(max_length=300, blank=True)
    capabilities_xml = models.TextField(blank=True)
    domcapabilities_xml = models.TextField(blank=True)
    away = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.host_id}: {self.state}"

    @property
    def is_up(self) -> bool:
        return self.state == HostStatus.State.UP

    @property
    def error_code(self) -> str:
        """What is wrong, in a word for programs; "" where nothing is."""
        return str(self.error["code"]) if self.error else ""

    @property
    def shows_other_key(self) -> bool:
        """Whether the host showed another ssh key than the confirmed one when it was last tried.

        What was seen at an address that it has no more says nothing of the new one, whose key nobody confirmed yet.
        """
        return self.error_code == HostKeyChanged.code and self.host.host_key != ""

    @property
    def stale_since(self) -> Any:
        """Since when what we know of the host is old; None while it is up."""
        return None if self.is_up else self.last_seen or self.since

    def part_stale_since(self, part: str) -> datetime | None:
        """Since when what a part of its libvirt told is old; None while both are up."""
        since: datetime | None = parse_datetime(self.away[part]["since"]) if part in self.away else None
        return (self.is_up and since) or self.stale_since

    def part_away(self, part: str) -> dict[str, str] | None:
        """What is wrong with a part while the host itself is up, in the reader's language, as `error_words` has it."""
        return error_words(self.away.get(part)) if self.is_up else None

    @property
    def parts_away(self) -> list[tuple[datetime | None, dict[str, str] | None]]:
        """Since when each part is away, and why."""
        return [(self.part_stale_since(part), self.part_away(part)) for part in self.away] if self.is_up else []

    @property
    def reads_definitions(self) -> bool:
        """Whether it is up, and not all of its objects' definitions have been read since."""
        return self.is_up and (self.synced_at is None or self.synced_at < self.since)

    @property
    def definitions(self) -> Known:
        """How far its objects' definitions are known; while they are read again, some are read already."""
        return Known.LAST_KNOWN if self.reads_definitions or not self.is_up else Known.READ

    @property
    def why(self) -> str:
        """Why it is not up, in the reader's language; "" while it is."""
        if self.is_up:
            return ""
        words = error_words(self.error)
        return words["detail"] if words else gettext("Webvirt is connecting to it.")

    @property
    def error_words(self) -> dict[str, str] | None:
        """What is wrong, in the reader's language: title, detail, hint, and libvirt's own message."""
        return error_words(self.error)

    @property
    def kvm_words(self) -> str:
        """Why guests are accelerated here, or are not, in the reader's language."""
        return gettext(self.kvm_reason) if self.kvm_reason else ""


class DeviceQuerySet(models.QuerySet["Device"]):
    def narrowed(self, kind: str, text: str) -> Self:
        """Those of a kind, and with `text` in what is told of them; "" asks for all."""
        rows = self.filter(kind=kind) if kind else self
        if not text:
            return rows
        told = models.Q(title__icontains=text) | models.Q(address__icontains=text)
        return rows.filter(told | models.Q(driver__icontains=text) | models.Q(name__icontains=text))


class Device(models.Model):
    """What is built into a host, or plugged into it, as last seen. Written by the monitor alone.

    `title` is its maker's words or numbers, `address` its place on a bus, a MAC address or a path. `mdev` is one way
    to divide a PCI device, `available` how many more such parts there can be. What its kind has not is null.
    """

    class Kind(models.TextChoices):
        PCI = "pci", _("PCI")
        USB = "usb", _("USB")
        NET = "net", _("Network card")
        DISK = "disk", _("Disk")
        SCSI = "scsi", _("SCSI adapter")
        MDEV = "mdev", _("Mediated device")

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=300)
    kind = models.CharField(max_length=8, choices=Kind)
    title = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=300, blank=True)
    driver = models.CharField(max_length=100, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    link = models.BooleanField(null=True)
    iommu_group = models.IntegerField(null=True)
    available = models.IntegerField(null=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "address", "name"]
        constraints = [models.UniqueConstraint(name="device_once_a_host", fields=["host", "name"])]

    def __str__(self) -> str:
        return self.name
