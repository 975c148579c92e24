from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm
from django.utils.translation import gettext_lazy as _

from accounts.models import User

AS_THE_BROWSER = ("", _("As the browser"))


class PreferencesForm(forms.ModelForm[User]):
    """What a person prefers; what is not sent stays as it is."""

    language = forms.ChoiceField(choices=[AS_THE_BROWSER, *settings.LANGUAGES], required=False)

    class Meta:
        model = User
        fields = ["theme", "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(self.data):
            del self.fields[name]


class OwnPasswordForm(PasswordChangeForm):
    """The old password, and the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"
