"""What a person may ask of volumes and pools."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rights import Action, allowed
from hosts.drivers import offers
from hosts.models import Host, HostStatus
from storage.formats import of_pool
from storage.models import Pool, Volume
from storage.services import CREATE_POOL
from tasks.asking_form import AskingForm
from webvirt.units import size

GIB = 1024**3
# Names stay as they are typed: a space at an end is told, not cut off.
NAME: dict[str, Any] = {"strip": False, "max_length": 300, "label": gettext_lazy("Name")}
SIZE: dict[str, Any] = {"min_value": 0, "max_value": 2**40, "label": gettext_lazy("Size in GiB")}


class DialogForm(AskingForm):
    """A form whose fields are drawn one below the other."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            kinds: dict[type, str] = {forms.Select: "form-select", forms.CheckboxInput: "form-check-input"}
            kind = kinds.get(type(field.widget), "form-control")
            field.widget.attrs |= {"class": kind, "autocomplete": "off"}
        first = self.fields.get("name") or next(iter(self.fields.values()))
        first.widget.attrs["autofocus"] = True


class SizeForm(DialogForm):
    """A form with a size, which people say in GiB."""

    size_gib = forms.FloatField(**SIZE, widget=forms.TextInput(attrs={"inputmode": "decimal"}))

    @property
    def size_bytes(self) -> int:
        gib: float = self.cleaned_data["size_gib"]
        return round(gib * GIB)


class NewVolumeForm(SizeForm):
    name = forms.CharField(**NAME, help_text=gettext_lazy("What its file is called, as: data.qcow2"))
    format = forms.ChoiceField(label=gettext_lazy("Format"))
    field_order = ["name", "format", "size_gib"]

    def __init__(self, *args: Any, pool: Pool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = cast("forms.ChoiceField", self.fields["format"])
        choices.choices = [(word, word) for word in of_pool(pool.type)]
        free = {"size": size(pool.available_bytes)}
        self.fields["size_gib"].help_text = _("%(size)s are free in this pool.") % free
        self.fields["size_gib"].initial = 10


class GrowForm(SizeForm):
    def __init__(self, *args: Any, volume: Volume, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {"size": size(volume.capacity_bytes, exact=True), "free": size(volume.pool.available_bytes)}
        self.fields["size_gib"].help_text = _("It has %(size)s now; %(free)s are free in its pool.") % words
        self.fields["size_gib"].initial = f"{volume.capacity_bytes / GIB:.3f}".rstrip("0").rstrip(".")


class PoolField(forms.ModelChoiceField[Pool]):
    def label_from_instance(self, obj: Pool) -> str:
        return _("%(pool)s, %(size)s free") % {"pool": obj.name, "size": size(obj.available_bytes)}


class CloneForm(DialogForm):
    name = forms.CharField(**NAME)
    pool = PoolField(Pool.objects.none(), empty_label=None, label=gettext_lazy("Pool"))

    def __init__(self, *args: Any, volume: Volume, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools = Pool.objects.visible_to(user).filter(host_id=volume.pool.host_id, state=Pool.State.ACTIVE)
        managed = [pool.pk for pool in allowed(user, pools, Action.MANAGE)]
        field = cast("PoolField", self.fields["pool"])
        field.queryset = Pool.objects.with_host().filter(pk__in=managed)
        field.initial = volume.pool_id
        stem, dot, ending = volume.name.rpartition(".")
        self.fields["name"].initial = f"{stem}-copy.{ending}" if dot else f"{volume.name}-copy"


class HostField(forms.ModelChoiceField[Host]):
    default_error_messages = {  # noqa: RUF012 - as Django has it
        "invalid_choice": gettext_lazy("This host is not connected, or not there any more. Choose another.")
    }

    def label_from_instance(self, obj: Host) -> str:
        return obj.name


class NewPoolForm(DialogForm):
    host = HostField(Host.objects.none(), empty_label=None, label=gettext_lazy("Host"))
    name = forms.CharField(**NAME)
    path = forms.CharField(
        strip=False,
        max_length=4096,
        label=gettext_lazy("Folder on the host"),
        widget=forms.TextInput(attrs={"placeholder": "/srv/images", "spellcheck": "false"}),
    )
    autostart = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Start with the host"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        up = Host.objects.with_status().filter(status__state=HostStatus.State.UP)
        able = [host.pk for host in up if offers(host, CREATE_POOL)]
        cast("HostField", self.fields["host"]).queryset = Host.objects.with_status().filter(pk__in=able)


class AutostartForm(AskingForm):
    autostart = forms.TypedChoiceField(choices=[("on", "on"), ("off", "off")], coerce=lambda word: word == "on")


class ConfirmForm(AskingForm):
    """The name of what is to go, typed."""

    confirm = forms.CharField(strip=False)

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.strip() != self.name.strip():
            raise ValidationError(_("Type its name, %(name)s, to confirm.") % {"name": self.name})
        return typed
