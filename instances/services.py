"""What can be done with guests: each asks for one change of a host, and answers its task."""

import uuid
from collections.abc import Callable, Collection
from typing import Any, Literal, TypedDict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import Action, Ref, require
from hosts.services import change
from instances import actions, limits
from instances.actions import Verb, require_possible, transient
from instances.disks import OwnDisk, cd_drives, own_disks
from instances.drivers import require_takes_guests
from instances.labels import clean_notes, clean_tags, clean_title
from instances.models import Instance
from instances.spec import Errors, Spec
from storage.models import Volume
from storage.services import work_in
from tasks.errors import Invalid, Refused, refuse
from tasks.models import Task
from webvirt.sentences import listed

Volumes = Literal["keep", "delete"]


class Edits(TypedDict, total=False):
    """What can be changed about a guest while it does what it does."""

    title: str
    notes: str
    tags: list[str]
    autostart: bool


def start(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Start a guest, or let it go on from where it was saved."""
    return power(verb=actions.START, instance=instance, actor=actor, key=key)


def start_from_cd(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Start a guest from its CD, for this once: its boot order stays as it is."""
    return power(verb=actions.START_FROM_CD, instance=instance, actor=actor, key=key)


def shutdown(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Ask a guest to shut down; the task succeeds when it is off."""
    return power(verb=actions.SHUTDOWN, instance=instance, actor=actor, key=key)


def reboot(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Ask a guest to reboot; the task succeeds when it was asked."""
    return power(verb=actions.REBOOT, instance=instance, actor=actor, key=key)


def suspend(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Stop a guest's processors, its memory kept."""
    return power(verb=actions.SUSPEND, instance=instance, actor=actor, key=key)


def resume(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Let a paused guest go on."""
    return power(verb=actions.RESUME, instance=instance, actor=actor, key=key)


def save(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Write a guest's memory to its host's disk and end it; its next start goes on from there."""
    return power(verb=actions.SAVE, instance=instance, actor=actor, key=key)


def discard(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Throw a guest's saved memory away, so that its next start is from the beginning."""
    return power(verb=actions.DISCARD, instance=instance, actor=actor, key=key)


def reset(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Press a guest's reset button; waits for no other change of it."""
    return power(verb=actions.RESET, instance=instance, actor=actor, key=key)


def destroy(*, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Pull a guest's plug; waits for no other change of it."""
    return power(verb=actions.DESTROY, instance=instance, actor=actor, key=key)


def power(*, verb: Verb, instance: Instance, actor: User, key: str | None = None) -> Task:
    """Ask for one of `actions.POWER`. Raises PermissionDenied, HostAway, or Refused where the state forbids it."""
    queue, limit = actions.pace(verb, instance)
    return change(
        verb.kind,
        host=instance.host,
        target=instance.ref,
        actor=actor,
        action=verb.right,
        key=key,
        lock_key=instance.lock_key if verb.waits else "",
        queue=queue,
        limit=limit,
        check=lambda: require_possible(verb, instance),
    )


def set_autostart(*, instance: Instance, autostart: bool, actor: User, key: str | None = None) -> Task:
    """Say whether a guest starts with its host. Refused for a transient one."""

    def check() -> None:
        if words := transient(instance):
            raise Refused(words)

    return change(
        actions.AUTOSTART.kind,
        host=instance.host,
        target=instance.ref,
        actor=actor,
        action=actions.AUTOSTART.right,
        key=key,
        arguments={"autostart": autostart},
        lock_key=instance.lock_key,
        check=check,
    )


def edit(*, instance: Instance, changes: Edits, actor: User, key: str | None = None) -> Task:
    """Change what people say about a guest, in its own definition; what `changes` leaves out stays. Raises Invalid.

    `autostart` among them is Refused for a transient guest.
    """
    if "autostart" in changes and len(changes) == 1:
        return set_autostart(instance=instance, autostart=changes["autostart"], actor=actor, key=key)
    wanted = cleaned(changes)

    def check() -> None:
        if "autostart" in wanted and (words := transient(instance)):
            raise Refused(words)

    return change(
        actions.EDIT.kind,
        host=instance.host,
        target=instance.ref,
        actor=actor,
        action=actions.EDIT.right,
        key=key,
        arguments=wanted,
        lock_key=instance.lock_key,
        check=check,
    )


def cleaned(changes: Edits) -> dict[str, Any]:
    """The changes as they are kept. Raises Invalid with errors by field."""
    cleaners: dict[str, Callable[[Any], Any]] = {"title": clean_title, "notes": clean_notes, "tags": clean_tags}
    wanted: dict[str, Any] = {}
    errors: Errors = {}
    for field, value in changes.items():
        try:
            wanted[field] = cleaners[field](value) if field in cleaners else value
        except ValidationError as error:
            errors[field] = list(error.messages)
    refuse(errors)
    return wanted


def change_media(
    *, instance: Instance, volume: Volume | None, actor: User, target: str | None = None, key: str | None = None
) -> Task:
    """Put a volume into a guest's CD drive `target` (by default its first), or eject with None."""
    drives = cd_drives(instance)
    drive = target or next(iter(drives), "")

    def check() -> None:
        require_possible(actions.MEDIA, instance)
        if drive not in drives:
            raise Refused(_("%(name)s has no such CD drive.") % {"name": instance.name})
        if volume is not None and volume.pool.host_id != instance.host_id:
            raise Invalid(
                _("Choose an image on %(host)s.") % {"host": instance.host.name},
                errors={"volume": [_("This image lies on another host.")]},
            )

    medium = {"pool": str(volume.pool.uuid), "volume": volume.name} if volume else None
    return change(
        actions.MEDIA.kind,
        host=instance.host,
        target=instance.ref,
        actor=actor,
        action=actions.MEDIA.right,
        key=key,
        arguments={"target": drive, "medium": medium},
        lock_key=instance.lock_key,
        check=check,
    )


def delete_instance(
    *,
    instance: Instance,
    volumes: Volumes,
    actor: User,
    only: Collection[int] | None = None,
    key: str | None = None,
) -> Task:
    """Delete a guest, forced off first if it runs; with `volumes="delete"` its own disks too.

    `only` are the ids of the volumes that a person chose from `disks.own_disks`; without it those that
    were made for this guest. Deleting needs MANAGE on their pools too. What must be certain is looked at
    again on the host.
    """
    chosen: list[OwnDisk] = []
    if volumes == "delete":
        chosen = [
            disk
            for disk in own_disks(instance, actor)
            if not disk.kept_because and (disk.made_for_it if only is None else disk.volume.pk in only)
        ]
        for disk in chosen:
            require(actor, Action.MANAGE, disk.volume.ref)

    def check() -> None:
        # Else the guest would be gone, and its disk could not follow it.
        if busy := [disk.volume.name for disk in chosen if work_in(disk.volume.pool, disk.volume.name).exists()]:
            raise Refused(_("Something is being done with %(volumes)s just now.") % {"volumes": listed(busy)})

    return change(
        actions.DELETE.kind,
        host=instance.host,
        target=instance.ref,
        actor=actor,
        action=actions.DELETE.right,
        key=key,
        arguments={"volumes": [disk.as_argument() for disk in chosen]},
        request={"uuid": str(instance.uuid), "volumes": volumes, "only": sorted(only) if only is not None else None},
        lock_key=instance.lock_key,
        check=check,
    )


def create_instance(*, spec: Spec, actor: User, key: str | None = None) -> Task:
    """Create a guest: its disks, its definition, and its start if asked.

    The task names the guest by a UUID chosen here, before libvirt knows it. Raises Invalid with
    errors by field, HostAway, Refused where the host takes none, or PermissionDenied without MANAGE on the
    host and the pools.
    """

    def check() -> None:
        require_takes_guests(spec.host)
        limits.check(spec)

    for pool in {pool for disk in spec.disks for pool in disk.pools}:
        require(actor, Action.MANAGE, pool.ref)
    host = spec.host
    target = Ref("instance", host.pk, uuid.uuid4(), spec.name)
    return change(
        "instances.create",
        host=host,
        target=target,
        actor=actor,
        action=Action.MANAGE,
        key=key,
        arguments=spec.as_arguments(),
        request=spec.as_arguments(),
        lock_key=f"create:{host.pk}:{spec.name}",
        check=check,
    )
