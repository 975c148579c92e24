"""The pages of hosts: all of them, and one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.rights import Action, actor_of, require
from hosts import services
from hosts.checks import last_check
from hosts.lists import HostRow, ordered, rows_of
from hosts.models import Host
from tasks.answers import asked, key_of
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


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """The last checklist of a host; a POST asks for a new one."""
    host = get_object_or_404(Host.objects.visible_to(request.user), pk=pk)
    if request.method == "POST":
        task = services.check_host(host=host, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=reverse("hosts:check", args=[pk]))
    require(request.user, Action.ADMINISTER, None)
    template = "hosts/_check.html" if request.GET.get("block") else "hosts/check.html"
    return render(request, template, {"host": host, "check": last_check(host)})
