"""The pages of hosts: all of them, and one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from hosts.lists import HostRow, ordered, rows_of
from hosts.models import Host
from webvirt.listing import wanted_ids


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All hosts that one may see, by name or by `?sort=`; `?q=` narrows by name, address or host name."""
    seen = Host.objects.visible_to(request.user)
    rows = ordered(rows_of(seen.matching(request.GET.get("q", "")), request.user), request.GET.get("sort", ""))
    if request.headers.get("X-Webvirt-Live"):
        ids = wanted_ids(request)
        return render(request, "hosts/_rows.html", {"rows": [row for row in rows if ids is None or row.host.pk in ids]})
    return render(request, "hosts/list.html", {"rows": rows})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One host: what it is, how it does, and why it is silent where it is."""
    host = get_object_or_404(Host.objects.visible_to(request.user), pk=pk)
    row: HostRow = rows_of(Host.objects.filter(pk=host.pk), request.user)[0]
    template = "hosts/_host.html" if request.GET.get("block") else "hosts/detail.html"
    return render(request, template, {"row": row, "host": row.host, "status": row.host.status})
