"""Virtual networks and who is attached to them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.rights import Action, may
from hosts.drivers import keeps_changes
from hosts.models import Host
from hosts.services import manages_any
from networks.changes import network_or_404
from networks.models import Network
from networks.shown import SORTS, attached, interfaces_of, network_rows, networks_of
from webvirt.listing import SIZES, ordered, paged, searched, wanted_ids


@require_GET
def network_list(request: HttpRequest) -> HttpResponse:
    """Networks by `?host=` and `?q=`."""
    host, text, ids = request.GET.get("host", ""), searched(request), wanted_ids(request)
    found = networks_of(request.user, host=host, text=text)
    page = paged(ordered(found, request, SORTS, "name"), request)
    seen = Network.objects.visible_to(request.user)
    context = {
        "page": page,
        "sizes": SIZES,
        "networks": network_rows(row for row in page if ids is None or row.pk in ids),
        "host": host,
        "text": text,
        "hosts": Host.objects.filter(pk__in=seen.values("host_id")).values_list("pk", "name"),
        "may_create": manages_any(request.user),
    }
    block = request.GET.get("block", "")
    if block == "on_host":
        context["interfaces"] = interfaces_of(request.user, host=host)
    blocks = {"rows": "networks/_rows.html", "on_host": "networks/_on_host.html"}
    return render(request, blocks.get(block, "networks/list.html"), context)


@require_GET
def network_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One network: what it is tied to, its addresses, the guests on it and the addresses they were given."""
    network = network_or_404(request, pk)
    found = attached(network, request.user)
    context = {
        "network": network,
        "found": found,
        "page": paged(found.cards, request),
        "may_manage": (
            network.stale_since is None
            and keeps_changes(network.host)
            and may(request.user, Action.MANAGE, network.ref)
        ),
    }
    blocks = {"away": "_away", "head": "_head", "drawing": "_drawing", "cards": "_cards", "leases": "_leases"}
    return render(request, f"networks/{blocks.get(request.GET.get('block', ''), 'detail')}.html", context)
