"""Adding a host, and connecting it: a page of the address, and one of what comes after it."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.rights import Action, actor_of, require
from hosts.address_form import ASKED, AddressForm
from hosts.checks import last_check
from hosts.connect import Offer, Steps
from hosts.keys import HostKey
from hosts.models import Host
from hosts.secrets import Secrets
from hosts.services import add_host, change_address, check_host, trust_key
from hosts.uris import How
from tasks.errors import Invalid, Refused, faults, refuse

asking = require_http_methods(["GET", "HEAD", "POST"])
secretly = sensitive_post_parameters(*ASKED[How.OWN])


@asking
@secretly
def add(request: HttpRequest) -> HttpResponse:
    """The first step: where the new host is, and what opens it. `?block=uri` is the address that the fields make."""
    actor = administrator(request)
    if request.GET.get("block") == "uri":
        return HttpResponse(drafted(AddressForm(request.GET)), content_type="text/plain; charset=utf-8")
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            secrets = Secrets(**form.wanted_secrets)
            host = add_host(name=form.cleaned_data["name"], uri=form.wanted_uri, secrets=secrets, actor=actor)
            return connected(host, actor)
        except Invalid as refusal:
            form.take(refusal)
    return shown(request, form, None)


@asking
@secretly
def address(request: HttpRequest, pk: int) -> HttpResponse:
    """The same of a host that is there."""
    host, actor = administered(request, pk)
    form = AddressForm(request.POST or None, host=host)
    if request.method == "POST" and form.is_valid():
        try:
            change_address(host, uri=form.wanted_uri, secrets=form.wanted_secrets, actor=actor)
            return connected(host, actor)
        except Invalid as refusal:
            form.take(refusal)
    return shown(request, form, host)


@require_safe
def connect(request: HttpRequest, pk: int) -> HttpResponse:
    """What comes after the address: letting Webvirt in, the host's key, and whether it works."""
    host, _actor = administered(request, pk)
    template = "hosts/_connect.html" if request.GET.get("block") else "hosts/connect.html"
    return render(request, template, {"host": host, "steps": Steps(host), "check": last_check(host)})


@require_safe
def keys(request: HttpRequest, pk: int) -> HttpResponse:
    """The key that the host shows now, to be compared and confirmed. Asks the host: 12 s at most."""
    host, actor = administered(request, pk)
    template = "hosts/_keys.html" if request.headers.get("HX-Request") else "hosts/keys.html"
    return render(request, template, {"host": host, "offer": Offer.of(host, actor), "looked_at": looked_at(host)})


@require_POST
def trust(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a key; where another was confirmed before, the host's name has to be typed."""
    host, actor = administered(request, pk)
    try:
        key = HostKey.parse(request.POST.get("key", ""))
    except ValueError as error:
        raise BadRequest("no key") from error
    seen = {name: request.POST.get(name, now) for name, now in looked_at(host).items()}
    if host.host_key != str(key) and seen != looked_at(host):
        raise Refused(_("Its address or its confirmed key was changed meanwhile. Look at its key again."))
    if host.host_key not in ("", str(key)) and request.POST.get("confirm", "").strip() != host.name:
        refuse(faults(confirm=_("Type the name of the host to accept its new key.")))
    trust_key(host, key=key, actor=actor)
    return connected(host, actor)


def looked_at(host: Host) -> dict[str, str]:
    """What a person who confirms a key was shown beside it, and which may be another's change by then."""
    return {"at": host.uri, "before": host.host_key}


def connected(host: Host, actor: User) -> HttpResponse:
    """On to the steps, with the check on its way as soon as the host can be opened."""
    if not Steps(host).is_waiting:
        check_host(host=host, actor=actor)
    return redirect("hosts:connect", host.pk)


def shown(request: HttpRequest, form: AddressForm, host: Host | None) -> HttpResponse:
    if form.errors:
        form.forget()
    return render(request, "hosts/address.html", {"form": form, "host": host})


def drafted(form: AddressForm) -> str:
    """The address that the fields make so far; "" while they make none."""
    form.is_valid()
    return "" if form.errors.keys() - {"name", "password"} else form.wanted_uri


def administrator(request: HttpRequest) -> User:
    require(request.user, Action.ADMINISTER, None)
    return actor_of(request.user)


def administered(request: HttpRequest, pk: int) -> tuple[Host, User]:
    """A host that an administrator changes; 404 to who does not see it, 403 to who may not."""
    host = get_object_or_404(Host.objects.visible_to(request.user).with_status(), pk=pk)
    return host, administrator(request)
