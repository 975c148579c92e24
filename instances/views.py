"""The pages of guests, and what their buttons ask for."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import actor_of, most, require
from hosts.services import manages_any
from instances import actions, services
from instances.disks import own_disks
from instances.forms import AboutForm, AutostartForm, DeleteForm, MediaForm
from instances.listing import Query, hosts_to_choose, page_of, rows_of, tags_to_choose
from instances.models import Instance
from instances.page import Page
from tasks.answers import asked, key_of
from webvirt.listing import SIZES, wanted_ids

LIST_BLOCKS = {part: f"instances/_{part}.html" for part in ("count", "foot")}
BLOCKS = {part: f"instances/_{part}.html" for part in ("head", "now", "hardware", "history", "about")}


def guest_or_404(request: HttpRequest, pk: int) -> Instance:
    return get_object_or_404(Instance.objects.visible_to(request.user).with_host(), pk=pk)


@require_GET
def instance_list(request: HttpRequest) -> HttpResponse:
    query = Query.of(request.GET)
    page = page_of(query, request)
    ids = wanted_ids(request)
    shown = [guest for guest in page if ids is None or guest.pk in ids]
    if request.headers.get("X-Webvirt-Live") == "rows":
        return render(request, "instances/_rows.html", {"rows": rows_of(shown, request.user)})
    if request.GET.get("block") == "on_host":
        return render(request, "instances/_on_host.html", {"rows": rows_of(shown, request.user), "page": page})
    template = LIST_BLOCKS.get(request.GET.get("block", ""), "instances/list.html")
    context = {
        "rows": rows_of(shown, request.user) if template == "instances/list.html" else [],
        "page": page,
        "query": query,
        "sizes": SIZES,
        "states": Instance.State.choices,
        "hosts": hosts_to_choose(request.user),
        "tags": [(tag, tag) for tag in tags_to_choose(request.user)],
        "may_create": manages_any(request.user),
        "verbs": actions.BULK,
        "total": Instance.objects.visible_to(request.user).count() if query.filtered else page.paginator.count,
    }
    return render(request, template, context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    instance = guest_or_404(request, pk)
    page = Page(instance, request.user, request.GET.get("edit", ""))
    template = BLOCKS.get(request.GET.get("block", ""), "instances/detail.html")
    return render(request, template, {"page": page, "instance": instance})


@require_POST
def power(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    instance = guest_or_404(request, pk)
    task = services.power(
        verb=actions.POWER[verb], instance=instance, actor=actor_of(request.user), key=key_of(request)
    )
    return asked(request, task, back=reverse("instances:detail", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    instance = guest_or_404(request, pk)
    require(request.user, actions.DISCARD.right, instance.ref)
    back = reverse("instances:detail", args=[pk])
    if request.method == "POST":
        task = services.discard(instance=instance, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=back)
    dialog = request.headers.get("X-Webvirt-Live")
    template = "instances/_discard.html" if dialog else "instances/discard.html"
    return render(request, template, {"instance": instance, "verb": actions.DISCARD})


@require_POST
def autostart(request: HttpRequest, pk: int) -> HttpResponse:
    instance = guest_or_404(request, pk)
    form = AutostartForm(request.POST)
    form.is_valid()
    task = services.set_autostart(
        instance=instance,
        autostart=form.cleaned_data["autostart"],
        actor=actor_of(request.user),
        key=key_of(request),
    )
    return asked(request, task, back=reverse("instances:detail", args=[pk]))


@require_POST
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    instance = guest_or_404(request, pk)
    form = AboutForm(request.POST)
    form.require_valid()
    changes = cast("services.Edits", form.cleaned_data)
    task = services.edit(instance=instance, changes=changes, actor=actor_of(request.user), key=key_of(request))
    return asked(request, task, back=reverse("instances:detail", args=[pk]))


@require_POST
def media(request: HttpRequest, pk: int) -> HttpResponse:
    instance = guest_or_404(request, pk)
    require(request.user, actions.MEDIA.right, instance.ref)
    form = MediaForm(request.POST, instance=instance, user=request.user)
    form.require_valid()
    task = services.change_media(
        instance=instance,
        volume=form.cleaned_data["volume"],
        target=form.cleaned_data["target"] or None,
        actor=actor_of(request.user),
        key=key_of(request),
    )
    return asked(request, task, back=reverse("instances:detail", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    instance = guest_or_404(request, pk)
    require(request.user, actions.DELETE.right, instance.ref)
    disks = own_disks(instance, request.user)
    rights = most(request.user, [disk.volume.ref for disk in disks])
    form = DeleteForm(request.POST or None, instance=instance, disks=disks, rights=rights)
    if request.method == "POST":
        form.require_valid()
        task = services.delete_instance(
            instance=instance,
            volumes="delete",
            only=form.cleaned_data["volumes"],
            actor=actor_of(request.user),
            key=key_of(request),
        )
        return asked(request, task, back=reverse("instances:list"))
    dialog = request.headers.get("X-Webvirt-Live")
    template = "instances/_delete.html" if dialog else "instances/delete.html"
    context = {
        "instance": instance,
        "form": form,
        "name": instance.name,
        "action": reverse("instances:delete", args=[pk]),
        "then": reverse("instances:list"),
        "toast": str(actions.DELETE.doing) % {"name": instance.name},
        "toast_done": str(actions.DELETE.done) % {"name": instance.name},
    }
    return render(request, template, context)
