"""What can be wrong with asking for a task, and how a job ends early."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

Words = str | Promise


def error_words(error: dict[str, Any] | None) -> dict[str, str] | None:
    """A kept error (templates and params, as tasks.runner.words_of writes them) in the reader's language."""
    if error is None:
        return None
    # gettext("") is the catalogue's head, not nothing.
    told = {part: gettext(error[part]) % error["params"] if error[part] else "" for part in ("title", "detail", "hint")}
    return {**told, "libvirt": error["libvirt"]}


class Refused(Exception):
    """A change that cannot be asked for now; `status` is the HTTP status that says so.

    `title` and `detail` are words for a person, `errors` by field where a field is at fault.
    """

    status = 409
    title: Words = _("This cannot be done now")

    def __init__(
        self, detail: Words, *, title: Words | None = None, errors: Mapping[str, Sequence[Words]] | None = None
    ) -> None:
        super().__init__(str(detail))
        self.detail = detail
        self.title = title or type(self).title
        self.errors: Mapping[str, Sequence[Words]] = errors or {}

    def problem(self) -> dict[str, Any]:
        """The problem document (RFC 9457) that says it to a program."""
        return {
            "type": "about:blank",
            "title": str(self.title),
            "status": self.status,
            "detail": str(self.detail),
            "errors": {field: [str(word) for word in words] for field, words in self.errors.items()},
        }


class HostAway(Refused):
    """The host is not up: nothing can be asked of it."""

    status = 503
    title = _("The host does not answer")


class DatabaseAway(Refused):
    """Webvirt's own database takes nothing just now."""

    status = 503
    title = _("Webvirt's database does not answer")

    def __init__(self) -> None:
        super().__init__(
            _(
                "It is locked, full or away. What you asked for was not done, or not finished: look, and try again in "
                "a moment. On Webvirt's machine manage.py doctor says more."
            )
        )


class OtherRequest(Refused):
    """An idempotency key that came before with another body."""

    status = 422
    title = _("This key was used for another request")


class Invalid(Refused):
    """What was asked for is wrong in itself; `errors` says by field."""

    status = 400
    title = _("Something in the form needs changing")


def faults(**found: Words | None) -> dict[str, list[Words]]:
    """The errors by field, of those fields with which something is wrong."""
    return {field: [words] for field, words in found.items() if words}


def refuse(errors: Mapping[str, Sequence[Words]]) -> None:
    """Raise Invalid where there are errors."""
    if errors:
        raise Invalid(gettext("See what is wrong with it below."), errors=errors)


class JobFailed(Exception):
    """Raised by a job to end its task as failed, in words for a person (gettext_noop templates and params)."""

    def __init__(self, title: str, detail: str, *, hint: str = "", params: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.title = title
        self.detail = detail
        self.hint = hint
        self.params = params or {}


class Cancelled(Exception):
    """Raised inside a job once somebody asked for its end."""
