"""Who may come in, what they may do, and the tokens that speak for them."""

import hashlib
import secrets
from datetime import timedelta
from typing import Self

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person. `is_superuser` is the role admin: everything, users and hosts included.

    `timezone` and `language` are as the browser has them where they are "".
    """

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    theme = models.CharField(max_length=8, choices=Theme, default=Theme.AUTO)
    timezone = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10, blank=True, default="")


class Role(models.TextChoices):
    """What a grant allows; each includes the ones before it."""

    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", _("Operator")
    MANAGER = "manager", _("Manager")


class GrantQuerySet(models.QuerySet["Grant"]):
    def of(self, user: User) -> Self:
        """The grants that speak for `user`, directly or by a group."""
        return self.filter(models.Q(user=user) | models.Q(group__user=user))


class Grant(models.Model):
    """Ties a user or a group and a role to everything, a host, a guest, a pool or a network.

    The object is named without a foreign key, as a Task names it, so that a grant outlives the
    object's absence from its host.
    """

    class Scope(models.TextChoices):
        EVERYTHING = "everything", _("Everything")
        HOST = "host", _("Host")
        INSTANCE = "instance", _("Instance")
        POOL = "pool", _("Pool")
        NETWORK = "network", _("Network")

    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=16, choices=Role)
    scope = models.CharField(max_length=16, choices=Scope)
    host_id = models.BigIntegerField(null=True, blank=True)
    object_uuid = models.UUIDField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="grant_has_one_holder",
                condition=models.Q(user__isnull=False, group__isnull=True)
                | models.Q(user__isnull=True, group__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.scope} {self.host_id or ''} {self.object_uuid or ''}".strip()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def redeem(self, secret: str) -> "ApiToken | None":
        """The token whose secret this is, its user active; its last use is noted once a minute."""
        token = self.select_related("user").filter(digest=digest_of(secret), user__is_active=True).first()
        now = timezone.now()
        if token and (token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1)):
            self.filter(pk=token.pk).update(last_used_at=now)
        return token


class ApiToken(models.Model):
    """A secret that speaks for a user to the API; only its SHA-256 is kept."""

    class Scope(models.TextChoices):
        READ = "read", _("Read")
        WRITE = "write", _("Read and write")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.WRITE)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, *, user: User, name: str, scope: str) -> tuple["ApiToken", str]:
        """Make a token; the secret is given back this once and kept nowhere."""
        secret = "wv_" + secrets.token_urlsafe(32)
        token = cls.objects.create(user=user, name=name, scope=scope, digest=digest_of(secret))
        return token, secret


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
