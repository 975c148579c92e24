"""Why a file cannot be taken in, each with the HTTP status that says so."""

from django.utils.translation import gettext_lazy as _

from tasks.errors import Refused


class TooLarge(Refused):
    """More bytes than may come."""

    status = 413
    title = _("The file is too large")


class NoRoom(Refused):
    """Neither spool nor pool may be filled to the brim."""

    status = 507
    title = _("There is not enough room")


class ImageRefused(Refused):
    """The image names other files, which its host would open for it."""

    status = 422
    title = _("This image cannot be taken in")


class PatchRefused(Refused):
    """A PATCH that tus 1.0.0 does not allow; `status` says which rule."""

    title = _("This part of the file was not taken")

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
