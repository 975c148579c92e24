"""What ends open consoles: the end of a session, of an account, of a right."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from accounts.models import Grant, User
from console.revocation import revoke


@receiver(post_delete, sender=Session)
def session_ended(instance: Session, **kwargs: Any) -> None:
    user_id = instance.get_decoded().get(SESSION_KEY)
    if user_id is not None:
        revoke(int(user_id))


@receiver([post_save, post_delete], sender=User)
def account_changed(instance: User, **kwargs: Any) -> None:
    if not kwargs.get("created"):
        revoke(instance.pk)


@receiver([post_save, post_delete], sender=Grant)
def right_changed(instance: Grant, **kwargs: Any) -> None:
    if instance.user_id is not None:
        revoke(instance.user_id)
    if instance.group_id is not None:
        _revoke_all(User.objects.filter(groups=instance.group_id).values_list("pk", flat=True))


@receiver(m2m_changed, sender=User.groups.through)
def membership_changed(instance: User | Group, action: str, pk_set: set[int] | None, **kwargs: Any) -> None:
    if isinstance(instance, User):
        revoke(instance.pk)
    elif pk_set is not None:
        _revoke_all(pk_set)
    elif action == "pre_clear":
        # After the clearing nobody could tell who the members were.
        _revoke_all(instance.user_set.values_list("pk", flat=True))


def _revoke_all(user_ids: Any) -> None:
    for user_id in list(user_ids):
        revoke(user_id)
