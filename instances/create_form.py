"""The form of a new guest: what it starts with, and how it becomes a `spec.Wanted`."""

from functools import cached_property
from typing import Any, cast

from django import forms
from django.forms.formsets import BaseFormSet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hosts.models import Host
from hosts.services import managed, require_up
from instances.drivers import require_takes_guests
from instances.existing import candidates
from instances.names import validate_name
from instances.placing import DEFAULT, Place, images, networks, places, pools
from instances.spec import (
    BUSES,
    CARDS,
    CPUS,
    DEFAULT_MEMORY_BYTES,
    DEFAULT_VCPUS,
    FIRMWARES,
    FORMATS,
    GIB,
    VIDEOS,
    Wanted,
    WantedCard,
    WantedDisk,
)
from networks.models import Network
from storage.models import Pool, Volume
from tasks.errors import Invalid, Refused

DISK_GIB = 20
ROOM = 0.8  # of a pool's free space that a first disk takes at most
ISO, EMPTY, DISK = "iso", "empty", "disk"

# The page's fields by the names that errors of `spec` and `limits` bear.
FIELDS = {"memory_bytes": "memory_gib", "size_bytes": "size_gib"}


class Choices:
    """What `user` may choose from: read once, for all the fields of one page."""

    def __init__(self, user: Any) -> None:
        self.managed: list[Host] = managed(user)
        found = places(self.managed)
        self.places: list[Place] = [place for place in found if not place.closed]
        self.closed: list[Place] = [place for place in found if place.closed]
        self.away: list[Host] = [host for host in self.managed if not host.status.is_up]
        hosts = [place.host for place in self.places]
        self.images: list[Volume] = list(images(user, hosts))
        self.disks: list[Volume] = candidates(user, hosts)
        self.pools: list[Pool] = pools(user, hosts)
        self.networks: list[Network] = networks(user, hosts)

    @property
    def best(self) -> Host | None:
        return self.places[0].host if self.places else None

    def pool_of(self, host: Host) -> Pool | None:
        return next((pool for pool in self.pools if pool.host_id == host.pk), None)

    def network_of(self, host: Host) -> Network | None:
        """The network that a guest gets where nobody chose: `default`, if there is one."""
        found = (network for network in self.networks if network.host_id == host.pk)
        return next((network for network in found if network.name == DEFAULT), None)

    @cached_property
    def machines(self) -> list[str]:
        return sorted({name for place in self.places for name in place.offer.machine_aliases})

    @cached_property
    def virt_types(self) -> list[str]:
        return [word for word in ("kvm", "qemu") if any(word in place.offer.virt_types for place in self.places)]

    @cached_property
    def uefi(self) -> bool:
        return any(place.offer.uefi for place in self.places)

    @cached_property
    def videos(self) -> list[str]:
        offered = {word for place in self.places for word in place.offer.videos or VIDEOS}
        return [word for word in VIDEOS if word in offered]

    @cached_property
    def cpus(self) -> list[str]:
        offered = {word for place in self.places for word in place.offer.cpus("") or CPUS}
        return [word for word in CPUS if word in offered]

    @property
    def upload_url(self) -> str:
        """Where another image is brought."""
        pool = self.pools[0] if self.pools else None
        return reverse("storage:upload", args=[pool.pk]) if pool else reverse("storage:list")


def ids(rows: Any) -> list[tuple[int, str]]:
    return [(row.pk, row.name) for row in rows]


class DiskForm(forms.Form):
    size_gib = forms.FloatField(min_value=0.001, max_value=2**40)
    pool = forms.TypedChoiceField(
        coerce=int,
        error_messages={
            "invalid_choice": gettext_lazy("This pool is not active any more, or its host is away. Choose another.")
        },
    )
    format = forms.ChoiceField(choices=[(word, word) for word in FORMATS])
    bus = forms.ChoiceField(choices=[(word, word) for word in BUSES])

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["pool"]).choices = ids(choices.pools)

    def wanted(self) -> WantedDisk:
        data = self.cleaned_data
        return {
            "pool": data["pool"],
            "size_bytes": round(data["size_gib"] * GIB),
            "format": data["format"],
            "bus": data["bus"],
        }


class CardForm(forms.Form):
    network = forms.TypedChoiceField(
        coerce=int,
        error_messages={
            "invalid_choice": gettext_lazy("This network is not active any more, or its host is away. Choose another.")
        },
    )
    model = forms.ChoiceField(choices=[(word, word) for word in CARDS])

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["network"]).choices = ids(choices.networks)

    def wanted(self) -> WantedCard:
        return {"network": self.cleaned_data["network"], "model": self.cleaned_data["model"]}


Disks = forms.formset_factory(DiskForm, extra=0, can_delete=True)
Cards = forms.formset_factory(CardForm, extra=0, can_delete=True)


class CreateForm(forms.Form):
    """The fields that a guest has once. `host` empty is the one where the image or the disks lie, or the best."""

    source = forms.ChoiceField(choices=[(ISO, ISO), (EMPTY, EMPTY), (DISK, DISK)])
    existing = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("This disk is not free any more, or its host is away. Choose another.")
        },
    )
    existing_bus = forms.ChoiceField(choices=[(word, word) for word in BUSES], required=False)
    cdrom = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("This image is not there any more, or its host is away. Choose another.")
        },
    )
    name = forms.CharField(max_length=1000)
    host = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This host is not there any more. Choose another.")},
    )
    vcpus = forms.IntegerField(min_value=1)
    memory_gib = forms.FloatField(min_value=0.001, max_value=2**40)
    firmware = forms.ChoiceField(choices=[(word, word) for word in FIRMWARES])
    machine = forms.CharField(required=False, max_length=100)
    virt_type = forms.CharField(required=False, max_length=10)
    cpu = forms.ChoiceField(choices=[("", ""), *((word, word) for word in CPUS)], required=False)
    video = forms.CharField(max_length=20)
    start = forms.BooleanField(required=False)

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices
        cast("forms.ChoiceField", self.fields["cdrom"]).choices = ids(choices.images)
        cast("forms.ChoiceField", self.fields["existing"]).choices = ids(choices.disks)
        cast("forms.ChoiceField", self.fields["host"]).choices = [(host.pk, host.name) for host in choices.managed]

    def clean_host(self) -> int | None:
        """One that went away, or was closed, since the page was opened is refused with its reason."""
        pk: int | None = self.cleaned_data["host"]
        host = next((host for host in self.choices.managed if host.pk == pk), None)
        if host is not None and all(place.host != host for place in self.choices.places):
            try:
                require_up(host)
                require_takes_guests(host)
            except Refused as refused:
                raise forms.ValidationError(str(refused.detail)) from refused
        return pk

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        validate_name(name)
        return name

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        if data.get("source") == ISO and data.get("cdrom") is None and "cdrom" not in self.errors:
            self.add_error("cdrom", _("Choose an image, or start with an empty disk."))
        if data.get("source") == DISK and data.get("existing") is None and "existing" not in self.errors:
            self.add_error("existing", _("Choose a disk, or start with an empty one."))
        return data


class NewGuest:
    """The whole page's form: its own fields, its disks and its network cards."""

    def __init__(self, user: Any, query: QueryDict, data: QueryDict | None = None) -> None:
        self.user = user
        self.choices = Choices(user)
        self.host = self.first_host(query)
        self.form = CreateForm(data, initial=self.initial(query), choices=self.choices)
        more: dict[str, Any] = {"form_kwargs": {"choices": self.choices}}
        disks, cards = self.still(data, "disks", self.choices.pools), self.still(data, "cards", self.choices.networks)
        self.disks: BaseFormSet[DiskForm] = Disks(disks, prefix="disks", initial=self.first_disks(), **more)
        self.cards: BaseFormSet[CardForm] = Cards(cards, prefix="cards", initial=self.first_cards(), **more)

    def still(self, data: QueryDict | None, prefix: str, offered: Any) -> QueryDict | dict[str, str] | None:
        """The rows as posted; none, and a word at the form, where nothing is left on the hosts to choose for them."""
        if data is None or offered:
            return data
        if data.get(f"{prefix}-TOTAL_FORMS") not in (None, "0"):
            words = {
                "disks": _("The pool that you chose is not active any more; the guest would get no disk."),
                "cards": _("The network that you chose is not active any more; the guest would get no network card."),
            }
            self.form.add_error(None, words[prefix])
        return {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}

    def image_of(self, query: QueryDict) -> Volume | None:
        asked = query.get("cdrom", "")
        found = [image for image in self.choices.images if str(image.pk) == asked]
        return found[0] if found else next(iter(self.on_best(self.choices.images)), None)

    def disk_of(self, query: QueryDict) -> Volume | None:
        """The disk that is there, where the query string asks for one."""
        return next((disk for disk in self.choices.disks if str(disk.pk) == query.get("disk", "")), None)

    def on_best(self, rows: list[Volume]) -> list[Volume]:
        return [row for row in rows if row.pool.host == self.choices.best] or rows

    def first_host(self, query: QueryDict) -> Host | None:
        """The host that the defaults are of: the one asked for, else the image's, else the best."""
        asked = query.get("host", "")
        for place in self.choices.places:
            if str(place.host.pk) == asked:
                return place.host
        found = self.disk_of(query) or self.image_of(query)
        return found.pool.host if found else self.choices.best

    def initial(self, query: QueryDict) -> dict[str, Any]:
        image = self.image_of(query)
        if image and self.host and image.pool.host_id != self.host.pk:
            image = next((one for one in self.choices.images if one.pool.host_id == self.host.pk), None)
        disk = self.disk_of(query)
        return {
            "source": DISK if disk else ISO if image else EMPTY,
            "existing": disk.pk if disk else None,
            "existing_bus": BUSES[0],
            "cdrom": image.pk if image else None,
            "host": self.host.pk if self.host and query.get("host") else None,
            "vcpus": DEFAULT_VCPUS,
            "memory_gib": DEFAULT_MEMORY_BYTES // GIB,
            "firmware": FIRMWARES[0],
            "video": VIDEOS[0],
            "start": True,
        }

    def first_disks(self) -> list[dict[str, Any]]:
        pool = self.choices.pool_of(self.host) if self.host else None
        if pool is None or self.form.initial["source"] == DISK:
            return []
        gib = max(min(DISK_GIB, int(pool.available_bytes * ROOM / GIB)), 1)
        return [{"size_gib": gib, "pool": pool.pk, "format": FORMATS[0], "bus": BUSES[0]}]

    def first_cards(self) -> list[dict[str, Any]]:
        network = self.choices.network_of(self.host) if self.host else None
        return [{"network": network.pk, "model": CARDS[0]}] if network else []

    def is_valid(self) -> bool:
        return all([self.form.is_valid(), self.disks.is_valid(), self.cards.is_valid()])

    def wanted(self) -> Wanted:
        """What the valid form asks for."""
        data = self.form.cleaned_data
        disks = [*self.old_disks(), *(form.wanted() for form in self.kept(self.disks))]
        cards = [form.wanted() for form in self.kept(self.cards)]
        image = data["cdrom"] if data["source"] == ISO else None
        return {
            "host": data["host"] or self.host_of(image, disks),
            "name": data["name"],
            "vcpus": data["vcpus"],
            "memory_bytes": round(data["memory_gib"] * GIB),
            "firmware": data["firmware"],
            "machine": data["machine"],
            "virt_type": data["virt_type"],
            "cpu": data["cpu"],
            "video": data["video"],
            "disks": disks,
            "cdrom": image,
            "networks": cards,
            "start": data["start"],
        }

    def old_disks(self) -> list[WantedDisk]:
        """The disk that is there, where the guest starts from one: the first of its disks."""
        data = self.form.cleaned_data
        if data["source"] != DISK:
            return []
        return [{"volume": data["existing"], "bus": data["existing_bus"]}]

    def kept(self, forms: BaseFormSet[Any]) -> list[Any]:
        return [form for form in forms if form.cleaned_data and not form.cleaned_data["DELETE"]]

    def host_of(self, image: int | None, disks: list[WantedDisk]) -> int:
        """Where nobody chose the host: the one that the image or the first disk lies on, else the best."""
        first: WantedDisk = disks[0] if disks else {}
        for rows, pk in (
            (self.choices.images, image),
            (self.choices.disks, first.get("volume")),
            (self.choices.pools, first.get("pool")),
        ):
            for row in rows:
                if row.pk == pk:
                    return row.pool.host_id if isinstance(row, Volume) else row.host_id
        return self.choices.best.pk if self.choices.best else 0

    def take(self, refusal: Invalid) -> None:
        """Show what was refused at the fields it is about."""
        for name, words in refusal.errors.items():
            form, field = self.place_of(name)
            for word in words:
                form.add_error(field, str(word))

    def place_of(self, name: str) -> tuple[forms.Form, str | None]:
        first, *rest = name.split(".")
        if rest and first in ("disks", "networks"):
            place = int(rest[0])
            if first == "disks":
                place -= len(self.old_disks())
                if place < 0:
                    return self.form, "existing_bus" if rest[1] == "bus" else "existing"
            kept = self.kept(self.disks if first == "disks" else self.cards)
            return kept[place], FIELDS.get(rest[1], rest[1])
        field = FIELDS.get(first, first)
        return self.form, field if field in self.form.fields else None
