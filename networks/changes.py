"""What the buttons of the pages of networks ask for."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.rights import Action, actor_of, require
from hosts.drivers import offers
from hosts.services import managed
from networks import services
from networks.forms import NewNetworkForm, RemoveForm, first_values, places_of
from networks.models import Network
from networks.shown import Card, attached
from networks.spec import resolve
from tasks.answers import asked, key_of
from tasks.errors import Invalid
from tasks.models import Task


def network_or_404(request: HttpRequest, pk: int) -> Network:
    return get_object_or_404(Network.objects.visible_to(request.user).with_host(), pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """The page of a new network."""
    hosts = managed(request.user)
    if not hosts:
        raise PermissionDenied(_("You may not make networks on any host."))
    up = [host for host in hosts if host.status.is_up and offers(host, services.CREATE)]
    places = places_of(up)
    if request.method == "POST":
        form = NewNetworkForm(request.POST, hosts=up)
        task = ask_for(form, request) if form.is_valid() else None
        if task is not None:
            return redirect("tasks:detail", task.pk)
    else:
        first = first_values(places, request.GET.get("host", "")) if places else {}
        form = NewNetworkForm(initial=first, hosts=up)
    return render(request, "networks/create.html", {"form": form, "places": places})


def ask_for(form: NewNetworkForm, request: HttpRequest) -> Task | None:
    """The task; None where the form was refused, with the reasons at its fields."""
    try:
        spec = resolve(form.wanted(), user=request.user)
        return services.create_network(spec=spec, actor=actor_of(request.user), key=key_of(request))
    except Invalid as refusal:
        form.take(refusal)
        return None


@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    network = network_or_404(request, pk)
    task = services.start_network(network=network, actor=actor_of(request.user), key=key_of(request))
    return asked(request, task, back=reverse("networks:detail", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask who loses it first."""
    network = network_or_404(request, pk)
    require(request.user, Action.MANAGE, network.ref)
    if request.method == "POST":
        task = services.stop_network(network=network, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=reverse("networks:detail", args=[pk]))
    return confirm(request, network, "stop", _("Stop %(name)s") % {"name": network.name})


@require_POST
def autostart(request: HttpRequest, pk: int) -> HttpResponse:
    network = network_or_404(request, pk)
    task = services.set_autostart(
        network=network,
        autostart=request.POST.get("autostart") == "on",
        actor=actor_of(request.user),
        key=key_of(request),
    )
    return asked(request, task, back=reverse("networks:detail", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the name first."""
    network = network_or_404(request, pk)
    require(request.user, Action.MANAGE, network.ref)
    if request.method == "POST":
        RemoveForm(request.POST, network=network).require_valid()
        task = services.remove_network(network=network, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=reverse("networks:list"))
    return confirm(request, network, "remove", _("Remove %(name)s") % {"name": network.name})


def guests_of(cards: Iterable[Card]) -> list[tuple[int, str]]:
    """Id and name of each guest that has some of these cards."""
    return list(dict.fromkeys((card.instance_id, card.name) for card in cards))


def confirm(request: HttpRequest, network: Network, verb: str, title: str) -> HttpResponse:
    """A dialog, or where there are no scripts a page, that says what goes with it."""
    found = attached(network, request.user)
    context = {
        "network": network,
        "name": network.name,
        "title": title,
        "inside": f"networks/_{verb}.html",
        "guests": guests_of(found.cards),
        "running": guests_of(card for card in found.cards if card.running),
        "hidden": found.hidden_cards,
        "action": reverse(f"networks:{verb}", args=[network.pk]),
        "back": reverse("networks:detail", args=[network.pk]),
    }
    dialog = request.headers.get("X-Webvirt-Live")
    return render(request, f"networks/_{verb}.html" if dialog else "networks/confirm.html", context)
