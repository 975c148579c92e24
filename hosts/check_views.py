"""The page of a host's checklist."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.rights import Action, actor_of, require
from hosts import services
from hosts.checks import last_check
from hosts.models import Host
from tasks.answers import asked, key_of


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
