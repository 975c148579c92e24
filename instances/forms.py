"""What a person may ask of a guest that is there."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rights import Action, Ref
from instances.actions import DELETE, POWER, Verb
from instances.disks import OwnDisk
from instances.models import Instance
from instances.placing import images
from storage.models import Volume
from tasks.asking_form import AskingForm
from webvirt.units import size

MOST_AT_ONCE = 500


class BulkForm(AskingForm):
    """What is asked of several guests; their `ids` are cleaned to a set."""

    verb = forms.ChoiceField(choices=[(name, name) for name in (*POWER, DELETE.name)])
    ids = forms.Field(widget=forms.SelectMultiple, error_messages={"required": gettext_lazy("Choose a guest first.")})
    volumes = forms.ChoiceField(choices=[("keep", "keep"), ("delete", "delete")], required=False)

    def clean_verb(self) -> Verb:
        return {**POWER, DELETE.name: DELETE}[self.cleaned_data["verb"]]

    def clean_volumes(self) -> str:
        return self.cleaned_data["volumes"] or "keep"

    def clean_ids(self) -> set[int]:
        asked = [id for text in self.cleaned_data["ids"] for id in text.split(",")]
        if len(asked) > MOST_AT_ONCE:
            raise ValidationError(_("At most %(most)d guests at once.") % {"most": MOST_AT_ONCE})
        if not all(id.isascii() and id.isdigit() and len(id) < 19 for id in asked):
            raise ValidationError(_("Choose guests from the list."))
        return {int(id) for id in asked}


class AutostartForm(AskingForm):
    autostart = forms.BooleanField(required=False)


class AboutForm(AskingForm):
    """What people say about a guest; its tags with commas between them."""

    title = forms.CharField(required=False, strip=False, label=gettext_lazy("Title"))
    tags = forms.CharField(
        required=False, label=gettext_lazy("Tags"), help_text=gettext_lazy("With commas between them, as: prod, web")
    )
    notes = forms.CharField(
        required=False, strip=False, label=gettext_lazy("Notes"), widget=forms.Textarea(attrs={"rows": 6})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"

    def clean_tags(self) -> list[str]:
        return [tag for tag in self.cleaned_data["tags"].split(",") if tag.strip()]


class ImageField(forms.ModelChoiceField[Volume]):
    def label_from_instance(self, obj: Volume) -> str:
        return f"{obj.name}, {size(obj.capacity_bytes)}"


class MediaForm(AskingForm):
    """Which image goes into which CD drive; none ejects."""

    target = forms.CharField(widget=forms.HiddenInput)
    volume = ImageField(Volume.objects.none(), required=False, empty_label=gettext_lazy("Empty"))

    def __init__(self, *args: Any, instance: Instance, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("ImageField", self.fields["volume"]).queryset = images(user, [instance.host])
        self.fields["volume"].widget.attrs["class"] = "form-select"


class DeleteForm(AskingForm):
    """Which of its volumes go with a guest, and its name typed."""

    confirm = forms.CharField()
    volumes = forms.TypedMultipleChoiceField(coerce=int, required=False)

    def __init__(
        self, *args: Any, instance: Instance, disks: list[OwnDisk], rights: Mapping[Ref, Action], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.instance = instance
        self.disks = [
            (disk, disk.kept_because or ("" if may_go(disk, rights) else _("you may not change this pool")))
            for disk in disks
        ]
        cast("forms.TypedMultipleChoiceField", self.fields["volumes"]).choices = [
            (disk.volume.pk, disk.volume.name) for disk, reason in self.disks if not reason
        ]

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.strip() != self.instance.name:
            raise ValidationError(_("Type the guest's name, %(name)s, to delete it.") % {"name": self.instance.name})
        return typed


def may_go(disk: OwnDisk, rights: Mapping[Ref, Action]) -> bool:
    return rights.get(disk.volume.ref, Action.SEE) >= Action.MANAGE
