"""What the console's page shows around a guest's display."""

from functools import cached_property
from typing import Any

from django.utils.translation import gettext

from accounts.rights import Action, most
from console.refusals import REFUSALS
from console.services import why_dark
from instances.actions import MEDIA, POWER, Verb, possible
from instances.models import Instance
from instances.placing import images
from storage.models import Volume
from tasks.errors import Refused

MOST_IMAGES = 50


class Page:
    """One guest's console, for one user."""

    def __init__(self, instance: Instance, user: Any) -> None:
        self.instance = instance
        self.user = user

    @cached_property
    def right(self) -> Action | None:
        return most(self.user, [self.instance.ref]).get(self.instance.ref)

    @cached_property
    def dark(self) -> Refused | None:
        """Why there is no display to be seen; None when there is one."""
        return why_dark(self.instance)

    @property
    def refusals(self) -> list[dict[str, str]]:
        """What the console's service may say instead of showing the display, in the reader's language."""
        return [
            {"code": why.code, "title": gettext(why.title), "detail": gettext(why.detail), "hint": gettext(why.hint)}
            for why in REFUSALS
        ]

    @cached_property
    def verbs(self) -> list[Verb]:
        return possible(self.instance, self.right)

    @property
    def next_step(self) -> Verb | None:
        """What makes a picture appear, or go on, where the state allows just that."""
        wanted = (POWER["start"], POWER["resume"])
        return next((verb for verb in wanted if verb in self.verbs), None)

    @cached_property
    def drive(self) -> dict[str, Any] | None:
        """The guest's first CD drive."""
        return next((disk for disk in self.instance.disks if disk["device"] == "cdrom"), None)

    @property
    def medium(self) -> str:
        """The file name of what lies in the drive; "" when it is empty."""
        return str(self.drive["path"] or "").rpartition("/")[2] if self.drive else ""

    @property
    def may_change_media(self) -> bool:
        return (
            self.drive is not None
            and self.right is not None
            and self.right >= MEDIA.right
            and self.instance.stale_since is None
            and MEDIA.fits(self.instance)
        )

    @cached_property
    def images(self) -> list[Volume]:
        """What can be put into the drive."""
        return list(images(self.user, [self.instance.host])[:MOST_IMAGES])
