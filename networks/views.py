"""Virtual networks and who is attached to them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from hosts.models import Host
from networks.models import Network
from networks.shown import SORTS, cards_of, network_rows, networks_of
from webvirt.listing import SIZES, ordered, paged, wanted_ids


@require_GET
def network_list(request: HttpRequest) -> HttpResponse:
    """Networks by `?host=` and `?q=`."""
    host, text, ids = request.GET.get("host", ""), request.GET.get("q", "").strip(), wanted_ids(request)
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
    }
    rows = request.GET.get("block") == "rows"
    return render(request, "networks/_rows.html" if rows else "networks/list.html", context)


@require_GET
def network_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One network: what it is tied to, its addresses, and the guests on it."""
    network = get_object_or_404(Network.objects.visible_to(request.user).with_host(), pk=pk)
    cards, hidden = cards_of(network, request.user)
    context = {"network": network, "page": paged(cards, request), "hidden": hidden, "count": len(cards) + hidden}
    blocks = {"drawing": "_drawing", "cards": "_cards"}
    return render(request, f"networks/{blocks.get(request.GET.get('block', ''), 'detail')}.html", context)
