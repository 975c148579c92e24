"""What an administrator says of how a host is reached."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hosts.addresses import LONGEST_NAME, LONGEST_URI
from hosts.models import Host
from hosts.secrets import Secrets, unseal_or_none
from hosts.uris import How, Parts, fault_of_host
from tasks.errors import Invalid

LONGEST_PEM = 100_000
WAYS = {
    How.SSH: (gettext_lazy("SSH"), gettext_lazy("With a key: for most hosts")),
    How.TLS: (gettext_lazy("TLS"), gettext_lazy("With certificates")),
    How.TCP: (gettext_lazy("TCP"), gettext_lazy("In a network of its own")),
    How.LOCAL: (gettext_lazy("This machine"), gettext_lazy("By its socket")),
    How.OWN: (gettext_lazy("Own address"), gettext_lazy("As libvirt writes it")),
}
SYSTEM, SESSION = "system", "session"
# The secrets that are asked for, by the way.
ASKED = {
    How.SSH: ("private_key",),
    How.TLS: ("password", "ca_certificate", "client_certificate", "client_key"),
    How.TCP: ("password",),
    How.LOCAL: (),
    How.OWN: ("password", "private_key", "ca_certificate", "client_certificate", "client_key"),
}
# These come back into the form when something else in it is wrong; what is secret does not.
OPEN = frozenset({"ca_certificate", "client_certificate"})


@dataclass(frozen=True)
class Way:
    """A choice of how a host is reached."""

    value: str
    title: Any
    hint: Any
    is_chosen: bool


def line(label: Any, help_text: Any = "", *, most: int = 255, **attributes: Any) -> forms.CharField:
    """A field of one line, which nobody has to fill in."""
    plain = {"class": "form-control", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
    widget = forms.TextInput(attrs={**plain, **attributes})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=most, widget=widget)


def pem(label: Any, help_text: Any = "") -> forms.CharField:
    attributes = {"class": "form-control mono", "rows": 4, "autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=LONGEST_PEM, widget=forms.Textarea(attributes)
    )


class AddressForm(forms.Form):
    """Of a new host, or of `host`; the fields of other ways than the chosen one are passed over."""

    name = line(gettext_lazy("Name"), most=LONGEST_NAME, autofocus=True)
    how = forms.ChoiceField(choices=[(way.value, words[0]) for way, words in WAYS.items()])
    host = line(gettext_lazy("Address"), gettext_lazy("Its name or IP address."))
    port = forms.IntegerField(
        label=gettext_lazy("Port"),
        help_text=gettext_lazy("Empty: 22 for SSH, 16514 for TLS, 16509 for TCP."),
        required=False,
        min_value=1,
        max_value=65535,
        widget=forms.NumberInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    user = line(gettext_lazy("User on the host"), gettext_lazy("The next step makes it where it is missing."), most=64)
    login = line(gettext_lazy("User"), gettext_lazy("As libvirt knows it there (SASL)."), most=128)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "new-password"}),
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("Which libvirt"),
        required=False,
        choices=[(SYSTEM, gettext_lazy("The system’s")), (SESSION, gettext_lazy("The user’s own (session)"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    socket = line(gettext_lazy("Socket"), gettext_lazy("Its whole path, where it is not the usual one."))
    uri = line(gettext_lazy("Address"), gettext_lazy("As qemu+tls://kvm-04.example.com/system."), most=LONGEST_URI)
    private_key = pem(
        gettext_lazy("Private key"), gettext_lazy("OpenSSH’s form, without a passphrase. Empty: Webvirt’s own key.")
    )
    ca_certificate = pem(gettext_lazy("Certificate of the authority"))
    client_certificate = pem(gettext_lazy("Webvirt’s certificate"))
    client_key = pem(gettext_lazy("Key of Webvirt’s certificate"))

    def __init__(self, data: Any = None, *, host: Host | None = None) -> None:
        kept = unseal_or_none(host.sealed) if host else Secrets()
        self.is_lost = kept is None
        self.known = (kept or Secrets()).known
        super().__init__(data, initial=first_values(host))
        if host:
            del self.fields["name"]
        if self.is_lost:
            box = forms.CheckboxInput(attrs={"class": "form-check-input"})
            self.fields["forget_lost"] = forms.BooleanField(
                label=_("Forget it, and connect with what stands here alone"), required=False, widget=box
            )
        for secret in sorted(self.known):
            self.fields[secret].help_text = _("One is kept. Leave this empty to keep it.")
            box = forms.CheckboxInput(attrs={"class": "form-check-input"})
            self.fields[f"remove_{secret}"] = forms.BooleanField(label=_("Remove it"), required=False, widget=box)

    @property
    def ways(self) -> list[Way]:
        """The choices of `how`, as the page draws them."""
        chosen = self["how"].value()
        return [Way(way.value, title, hint, way.value == chosen) for way, (title, hint) in WAYS.items()]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data
        how = data.get("how")
        if how in (How.SSH, How.TLS, How.TCP) and "host" in data and (fault := fault_of_host(data["host"].strip("[]"))):
            self.add_error("host", fault)
        if how == How.SSH and "user" in data and not data["user"]:
            self.add_error("user", _("Name a user of the host."))
        if how in (How.TCP, How.TLS) and not data.get("login") and data.get("password"):
            self.add_error("login", _("Name the user whose password it is."))
        if how == How.TCP and data.get("login") and not data.get("password") and not self.keeps("password"):
            self.add_error("password", _("Give the user’s password."))
        return data

    def keeps(self, secret: str) -> bool:
        """Whether the one that is kept stays."""
        return secret in self.known and not self.cleaned_data.get(f"remove_{secret}")

    @property
    def wanted_uri(self) -> str:
        """The address that the valid fields make."""
        data = self.cleaned_data
        how = How(data["how"])
        if how == How.OWN:
            return str(data["uri"])
        far = how != How.LOCAL
        users = {How.SSH: data["user"], How.TCP: data["login"], How.TLS: data["login"]}
        return Parts(
            how,
            host=data["host"].strip("[]") if far else "",
            port=data["port"] if far else None,
            user=users.get(how, ""),
            socket=data["socket"] if how in (How.LOCAL, How.SSH) else "",
            session=how in (How.LOCAL, How.SSH) and data["scope"] == SESSION,
        ).uri

    @property
    def wanted_secrets(self) -> dict[str, str]:
        """Those that were given for the chosen way, and "" for those that are to be forgotten."""
        data = self.cleaned_data
        lost = dict.fromkeys(ASKED[How.OWN], "") if data.get("forget_lost") else {}
        return lost | {
            name: data[name]
            for name in ASKED[How(data["how"])]
            if data[name].strip() or (name in self.known and data[f"remove_{name}"])
        }

    def take(self, refusal: Invalid) -> None:
        """Show what was refused at the fields it is about."""
        for field, words in refusal.errors.items():
            own = "host" if field == "uri" and self.cleaned_data["how"] != How.OWN else field
            for word in words:
                self.add_error(own, str(word))

    def forget(self) -> None:
        """Leave what is secret out of the page that shows the errors, and say so at its fields."""
        for name in ASKED[How.OWN]:
            if name not in OPEN and self.data.get(name, "").strip():
                self.add_error(name, _("Enter it once more: Webvirt shows no secret again."))
        self.data = {name: value for name, value in self.data.items() if name in OPEN or name not in ASKED[How.OWN]}


def first_values(host: Host | None) -> dict[str, Any]:
    """What the form starts with."""
    if host is None:
        return {"how": How.SSH, "user": "webvirt", "scope": SYSTEM}
    parts = Parts.of(host.uri)
    if parts is None:
        return {"how": How.OWN, "uri": host.uri, "user": "webvirt", "scope": SYSTEM}
    return {
        "how": parts.how,
        "host": parts.host,
        "port": parts.port,
        "user": parts.user if parts.how == How.SSH else "webvirt",
        "login": parts.user if parts.how in (How.TCP, How.TLS) else "",
        "socket": parts.socket,
        "scope": SESSION if parts.session else SYSTEM,
        "uri": host.uri,
    }
