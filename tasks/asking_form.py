"""The form that asks for one change."""

from django import forms

from tasks.errors import refuse


class AskingForm(forms.Form):
    """A form of one change."""

    def require_valid(self) -> None:
        """Raise Invalid with the errors by field."""
        if not self.is_valid():
            refuse({field: [str(word) for word in words] for field, words in self.errors.items()})
