"""The form that asks for one change."""

from django import forms
from django.utils.translation import gettext as _

from tasks.errors import Invalid


class AskingForm(forms.Form):
    """A form of one change."""

    def require_valid(self) -> None:
        """Raise Invalid with the errors by field."""
        if not self.is_valid():
            errors = {field: [str(word) for word in words] for field, words in self.errors.items()}
            raise Invalid(_("See what is wrong with it below."), errors=errors)
