"""The list of hosts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from hosts.lists import Query, ordered, rows_of, with_hour
from hosts.models import Host, HostStatus
from webvirt.listing import SIZES, paged, wanted_ids

PER_PAGE = 25  # each row draws its last hour
MAINTENANCE = [("1", _("yes")), ("0", _("no"))]


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The hosts that one may see, as the query string narrows, orders and pages them."""
    query = Query.of(request.GET)
    found = rows_of(query.narrow(Host.objects.visible_to(request.user)), request.user)
    page = paged(ordered(found, request.GET.get("sort", "")), request, size=PER_PAGE)
    ids = wanted_ids(request)
    rows = with_hour(row for row in page if ids is None or row.host.pk in ids)
    context = {
        "rows": rows,
        "page": page,
        "query": query,
        "sizes": SIZES,
        "states": HostStatus.State.choices,
        "maintenance": MAINTENANCE,
    }
    return render(request, "hosts/_rows.html" if request.headers.get("X-Webvirt-Live") else "hosts/list.html", context)
