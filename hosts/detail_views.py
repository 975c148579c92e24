"""The page of one host, and what an administrator changes on it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.rights import Action, actor_of, require
from hosts.forms import EditForm, RemoveForm
from hosts.models import Host
from hosts.page import TABS, Page
from hosts.upkeep import busy_because, edit_host, remove_host

asking = require_http_methods(["GET", "HEAD", "POST"])

BLOCKS = {part: f"hosts/_{part}.html" for part in ("head", "overview", "devices", "events")}


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One host, a part of it at a time by `?tab=`."""
    host = get_object_or_404(Host.objects.visible_to(request.user).with_status(), pk=pk)
    tab = request.GET.get("tab", "")
    page = Page(host, request.user, tab if tab in TABS else "overview", request.GET)
    template = BLOCKS.get(request.GET.get("block", ""), "hosts/detail.html")
    return render(request, template, {"page": page, "host": host, "status": host.status})


@asking
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Its name, its notes, and whether it takes new guests."""
    host = administered(request, pk)
    if request.method == "POST":
        form = EditForm(request.POST)
        form.require_valid()
        edit_host(host, **form.cleaned_data, actor=actor_of(request.user))
        return done(request, reverse("hosts:detail", args=[pk]))
    first = {"name": host.name, "notes": host.notes, "maintenance": host.maintenance}
    title = _("Edit %(host)s") % {"host": host.name}
    return dialog(request, host, "hosts/_edit.html", title=title, form=EditForm(initial=first))


@asking
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for its name first."""
    host = administered(request, pk)
    if request.method == "POST":
        RemoveForm(request.POST, host=host).require_valid()
        remove_host(host, actor=actor_of(request.user))
        return done(request, reverse("hosts:list"))
    return dialog(
        request,
        host,
        "hosts/_remove.html",
        title=_("Remove %(host)s") % {"host": host.name},
        busy=busy_because(host),
        name=host.name,
        action=reverse("hosts:remove", args=[pk]),
        then=reverse("hosts:list"),
        toast=_("Removing %(host)s…") % {"host": host.name},
        toast_done=_("%(host)s is removed") % {"host": host.name},
    )


def administered(request: HttpRequest, pk: int) -> Host:
    """The host, for an administrator; 404 where it may not be seen, 403 where only that."""
    host = get_object_or_404(Host.objects.visible_to(request.user).with_status(), pk=pk)
    require(request.user, Action.ADMINISTER, None)
    return host


def dialog(request: HttpRequest, host: Host, inside: str, **context: object) -> HttpResponse:
    """The inside of a dialog, or a page around it."""
    shown = {"host": host, "inside": inside, "back": reverse("hosts:detail", args=[host.pk]), **context}
    return render(request, inside if request.headers.get("X-Webvirt-Live") else "hosts/dialog.html", shown)


def done(request: HttpRequest, back: str) -> HttpResponse:
    """What the page hears of a change that is made already: nothing more, or without scripts the page `back`."""
    return JsonResponse({}) if request.headers.get("X-Webvirt-Toast") else redirect(back)
