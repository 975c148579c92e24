"""Pools and volumes as last seen, who uses them, and uploads under way."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant
from accounts.rights import Ref, visible
from hosts.models import Host

TYPES = {
    "dir": _("directory"),
    "fs": _("file system"),
    "netfs": _("network file system"),
    "logical": _("LVM"),
    "disk": _("disk"),
    "iscsi": _("iSCSI"),
    "iscsi-direct": _("iSCSI"),
    "scsi": _("SCSI"),
    "mpath": _("multipath"),
    "rbd": _("Ceph RBD"),
    "gluster": _("Gluster"),
    "zfs": _("ZFS"),
    "vstorage": _("Virtuozzo"),
}


class PoolQuerySet(models.QuerySet["Pool"]):
    def visible_to(self, user: Any) -> Self:
        return visible(self, user, scope=Grant.Scope.POOL)  # type: ignore[return-value]

    def with_host(self) -> Self:
        """Rows with their host and its state, in the same query."""
        return self.select_related("host", "host__status")


class Pool(models.Model):
    """A storage pool as last seen on its host. Sizes are bytes."""

    class State(models.TextChoices):
        INACTIVE = "inactive", _("Inactive")
        BUILDING = "building", _("Building")
        ACTIVE = "active", _("Active")
        DEGRADED = "degraded", _("Degraded")
        INACCESSIBLE = "inaccessible", _("Inaccessible")

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="pools")
    uuid = models.UUIDField()
    name = models.CharField(max_length=300)
    type = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=State)
    autostart = models.BooleanField(default=False)
    persistent = models.BooleanField(default=True)
    path = models.CharField(max_length=4096, blank=True)
    capacity_bytes = models.BigIntegerField(default=0)
    allocation_bytes = models.BigIntegerField(default=0)
    available_bytes = models.BigIntegerField(default=0)
    xml = models.TextField(blank=True)

    objects = PoolQuerySet.as_manager()

    class Meta:
        ordering = ["name", "host__name"]
        constraints = [models.UniqueConstraint(name="pool_once_a_host", fields=["host", "uuid"])]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> Ref:
        return Ref("pool", self.host_id, self.uuid, self.name)

    @property
    def lock_key(self) -> str:
        """Changes of one pool wait for each other under this key."""
        return f"pool:{self.host_id}:{self.uuid}"

    @property
    def is_active(self) -> bool:
        return self.state == Pool.State.ACTIVE

    @property
    def stale_since(self) -> Any:
        """Since when what is shown is only the last known; None while the host, and its storage, can be asked."""
        return self.host.status.part_stale_since("storage")

    @property
    def away(self) -> dict[str, str] | None:
        """Why it cannot be asked though its host is up, in the reader's language."""
        return self.host.status.part_away("storage")

    @property
    def type_word(self) -> Any:
        return TYPES.get(self.type, self.type)

    @property
    def taken_bytes(self) -> int:
        """Bytes that nobody can use any more, ours or not."""
        return max(self.capacity_bytes - self.available_bytes, 0)

    @property
    def taken_percent(self) -> int | None:
        """None where the capacity is not known."""
        return round(self.taken_bytes * 100 / self.capacity_bytes) if self.capacity_bytes else None


class VolumeQuerySet(models.QuerySet["Volume"]):
    def visible_to(self, user: Any) -> Self:
        return visible(  # type: ignore[return-value]
            self, user, scope=Grant.Scope.POOL, host="pool__host_id", uuid="pool__uuid"
        )


class Volume(models.Model):
    """A volume as last seen in its pool. Sizes are bytes; `format` is libvirt's word (raw, qcow2, iso…)."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="volumes")
    name = models.CharField(max_length=300)
    path = models.CharField(max_length=4096)
    format = models.CharField(max_length=32, blank=True)
    capacity_bytes = models.BigIntegerField(default=0)
    allocation_bytes = models.BigIntegerField(default=0)
    backing_path = models.CharField(max_length=4096, blank=True)

    objects = VolumeQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(name="volume_once_a_pool", fields=["pool", "name"])]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> Ref:
        """Named by its pool's uuid and its own name."""
        return Ref("volume", self.pool.host_id, self.pool.uuid, self.name)


class VolumeUse(models.Model):
    """A guest's use of a path on its host, as the guest's definition says; the monitor writes it."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=4096)
    instance_uuid = models.UUIDField()
    instance_name = models.CharField(max_length=300)
    device = models.CharField(max_length=16)
    readonly = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["host", "instance_uuid"])]
        constraints = [
            models.UniqueConstraint(name="use_once_a_guest", fields=["host", "path", "instance_uuid"]),
        ]

    def __str__(self) -> str:
        return f"{self.path} by {self.instance_name}"


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: Any) -> Self:
        """One's own uploads; an admin sees all."""
        return self if getattr(user, "is_superuser", False) else self.filter(owner_id=user.pk)

    def open(self) -> Self:
        """Uploads whose bytes still come."""
        return self.filter(state=Upload.State.OPEN)


class Upload(models.Model):
    """A tus upload. Its bytes lie in the spool under its id; the spool file's size is the offset.

    `sha256` is what was announced, `digest` what was worked out as the bytes came, where that
    kept up with them.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Uploading")
        RECEIVED = "received", _("Received")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="uploads")
    filename = models.CharField(max_length=255)
    length = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    task_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.filename
