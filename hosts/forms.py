"""What an administrator may say about a host."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hosts.addresses import LONGEST_NAME
from hosts.models import Host
from hosts.upkeep import LONGEST_NOTES
from tasks.asking_form import AskingForm


class EditForm(AskingForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "autofocus": True}),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=LONGEST_NOTES,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 4}),
    )
    maintenance = forms.BooleanField(
        label=gettext_lazy("In maintenance"),
        required=False,
        help_text=gettext_lazy("It takes no new guests. Those that are on it go on, and can be started and stopped."),
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )


class RemoveForm(AskingForm):
    confirm = forms.CharField(required=False)

    def __init__(self, *args: Any, host: Host, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.host = host

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.strip() != self.host.name:
            raise forms.ValidationError(_("Type the name of the host to remove it."))
        return typed
