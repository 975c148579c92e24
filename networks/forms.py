"""What a person may ask of networks."""

from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hosts.models import Host
from networks.models import Interface, Network
from networks.spec import BRIDGE, ISOLATED, NAT, ROUTE, Taken, Wanted, proposed, taken_on
from tasks.asking_form import AskingForm
from tasks.errors import Invalid

MODES = {
    NAT: gettext_lazy("NAT"),
    ROUTE: gettext_lazy("Routed"),
    ISOLATED: gettext_lazy("Isolated"),
    BRIDGE: gettext_lazy("Bridged"),
}
DHCP = ("dhcp_first", "dhcp_last")
OWN_RANGE = ("subnet", "ipv6", "domain", *DHCP)


class NewNetworkForm(forms.Form):
    """The fields of a new network; those that its mode does not have are left out of what is asked for."""

    host = forms.TypedChoiceField(
        coerce=int,
        error_messages={
            "invalid_choice": gettext_lazy("This host is not connected, or not there any more. Choose another.")
        },
    )
    name = forms.CharField(max_length=100)
    mode = forms.ChoiceField(choices=list(MODES.items()))
    subnet = forms.CharField(required=False, max_length=50)
    dhcp = forms.BooleanField(required=False)
    dhcp_first = forms.CharField(required=False, max_length=50)
    dhcp_last = forms.CharField(required=False, max_length=50)
    ipv6 = forms.CharField(required=False, max_length=60)
    domain = forms.CharField(required=False, max_length=253)
    bridge = forms.CharField(required=False, max_length=15)
    autostart = forms.BooleanField(required=False)
    start = forms.BooleanField(required=False)

    def __init__(self, *args: Any, hosts: list[Host], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["host"]).choices = [(host.pk, host.name) for host in hosts]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        mode = data.get("mode")
        if mode == BRIDGE and not data.get("bridge"):
            self.add_error("bridge", _("Name a bridge of the host, as br0."))
        elif mode in (NAT, ROUTE) and not data.get("subnet"):
            self.add_error("subnet", _("Guests need addresses: write a range as 192.168.150.0/24."))
        return data

    def wanted(self) -> Wanted:
        """What the valid form asks for."""
        data = dict(self.cleaned_data)
        absent = OWN_RANGE if data["mode"] == BRIDGE else ("bridge",) if data["dhcp"] else ("bridge", *DHCP)
        for field in absent:
            data[field] = ""
        return cast("Wanted", data)

    def take(self, refusal: Invalid) -> None:
        """Show what was refused at the fields it is about."""
        for field, words in refusal.errors.items():
            for word in words:
                self.add_error(field, str(word))


@dataclass(frozen=True)
class Place:
    """A host that a network can be made on, with the range that is proposed there and the bridges that it has."""

    host: Host
    subnet: str
    bridges: list[str]


def places_of(hosts: list[Host]) -> list[Place]:
    """The places of these hosts, in as many queries for one as for all."""
    bridges: dict[int, list[str]] = {host.pk: [] for host in hosts}
    own = Network.objects.filter(host=OuterRef("host"), bridge=OuterRef("name")).exclude(forward="bridge")
    found = Interface.objects.filter(~Exists(own), host__in=bridges, type="bridge")
    for host, name in found.order_by("name").values_list("host", "name"):
        bridges[host].append(name)
    taken = taken_on(hosts)
    return [Place(host, free_on(taken[host.pk]), bridges[host.pk]) for host in hosts]


def free_on(taken: Taken) -> str:
    """The range to propose, or "" where there is none."""
    try:
        return str(proposed(taken))
    except Invalid:
        return ""


def first_values(places: list[Place], host: str) -> dict[str, Any]:
    """What a new form starts with; `host` is an id from the query string."""
    place = next((place for place in places if str(place.host.pk) == host), places[0])
    return {
        "host": place.host.pk,
        "mode": NAT,
        "subnet": place.subnet,
        "dhcp": True,
        "autostart": True,
        "start": True,
    }


class RemoveForm(AskingForm):
    """A network's name typed."""

    confirm = forms.CharField()

    def __init__(self, *args: Any, network: Network, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.network = network

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.strip() != self.network.name:
            raise ValidationError(_("Type the network's name, %(name)s, to remove it.") % {"name": self.network.name})
        return typed
