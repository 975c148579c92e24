"""What the page of one guest shows; each part is read when its template asks."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.rights import Action, most
from hosts import figures
from instances import actions
from instances.actions import Verb, possible
from instances.drivers import has_console, has_picture, offers
from instances.forms import AboutForm, MediaForm
from instances.hardware import Device, Hardware
from instances.listing import FIGURES, UNKNOWN, Figures, reason_words
from instances.models import Instance
from storage.models import Volume
from tasks.models import Task

MOST_TASKS = 20


class Page:
    """One guest for one viewer; `edit` is the CD drive whose medium is being chosen, or `about`."""

    def __init__(self, instance: Instance, user: Any, edit: str = "") -> None:
        self.instance = instance
        self.user = user
        self.edit = edit
        self.right = most(user, [instance.ref])[instance.ref]

    @cached_property
    def verbs(self) -> list[Verb]:
        return possible(self.instance, self.right)

    @property
    def main(self) -> Verb | None:
        """The verb of the split button: the gentlest way on from here."""
        return next((verb for verb in self.verbs if not verb.harsh), None)

    @property
    def menu(self) -> list[Verb]:
        return [verb for verb in self.verbs if verb is not self.main]

    @property
    def discards(self) -> bool:
        """Whether there is saved memory that the viewer may throw away."""
        return self.listens and self.right >= actions.DISCARD.right and actions.DISCARD.fits(self.instance)

    @property
    def listens(self) -> bool:
        """Whether the host can be asked for changes."""
        return self.instance.stale_since is None

    @property
    def console(self) -> bool:
        return self.listens and self.right >= Action.OPERATE and has_console(self.instance)

    @property
    def picture(self) -> bool:
        """Whether its screen is shown, as the way to its console."""
        return self.console and has_picture(self.instance)

    @property
    def manages(self) -> bool:
        return self.listens and self.right >= actions.DELETE.right and offers(self.instance, actions.DELETE.name)

    @property
    def edits(self) -> bool:
        """Whether the viewer may change what is said about it."""
        return self.manages and offers(self.instance, actions.EDIT.name)

    @property
    def changes_media(self) -> bool:
        return self.manages and actions.MEDIA.fits(self.instance)

    @property
    def changes_autostart(self) -> bool:
        return self.manages and self.instance.persistent and offers(self.instance, actions.AUTOSTART.name)

    @property
    def aside(self) -> str:
        return reason_words(self.instance)

    @property
    def runs(self) -> bool:
        return self.listens and self.instance.state == Instance.State.RUNNING

    @cached_property
    def now(self) -> Figures:
        ids = [self.instance.pk] if self.runs else []
        return UNKNOWN | figures.latest("instance", ids).get(self.instance.pk, {})

    @cached_property
    def lines(self) -> dict[str, list[float | None]]:
        """The last hour of each figure, a value a minute."""
        points = figures.hour("instance", [self.instance.pk]).get(self.instance.pk, []) if self.runs else []
        clock = timezone.now()
        return {name: figures.line(points, name, clock, self.now) for name in FIGURES}

    @property
    def names(self) -> dict[str, str]:
        """What each figure is called on the live channel."""
        return {name: f"instance:{self.instance.pk}:{name}" for name in FIGURES}

    @cached_property
    def devices(self) -> list[Device]:
        return Hardware(self.instance, self.user).devices()

    def media_form(self) -> MediaForm:
        """The form of the drive being edited, with what is in it chosen."""
        path = next(device.medium for device in self.devices if device.drive == self.edit)
        inside = Volume.objects.filter(pool__host_id=self.instance.host_id, path=path).first() if path else None
        return MediaForm(initial={"target": self.edit, "volume": inside}, instance=self.instance, user=self.user)

    def about_form(self) -> AboutForm:
        said = self.instance
        return AboutForm(initial={"title": said.title, "tags": ", ".join(said.tags), "notes": said.notes})

    @property
    def edit_verb(self) -> Verb:
        return actions.EDIT

    @cached_property
    def tasks(self) -> QuerySet[Task]:
        own = Task.objects.filter(object_type="instance", host_id=self.instance.host_id, object_uuid=self.instance.uuid)
        return own.order_by("-pk")[:MOST_TASKS]

    @property
    def xml(self) -> str:
        return self.instance.inactive_xml or self.instance.xml
