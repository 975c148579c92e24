"""Several guests at once: one change asked of each, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rights import Action, actor_of, most
from instances import actions, services
from instances.actions import Verb
from instances.disks import OwnDisk, own_disks
from instances.drivers import offers
from instances.forms import BulkForm
from instances.models import Instance
from instances.services import Volumes
from tasks.errors import Refused
from tasks.models import Task
from tasks.shapes import task_shape


@dataclass(frozen=True)
class Outcome:
    """What became of one guest: a task, or a problem (as `Refused.problem` writes it)."""

    id: int
    name: str
    task: Task | None = None
    problem: dict[str, Any] | None = None

    def shape(self, request: HttpRequest) -> dict[str, Any]:
        answer: dict[str, Any] = {"id": self.id, "name": self.name}
        if self.task:
            return {**answer, "task": task_shape(self.task, request)}
        return {**answer, "problem": self.problem}


def ask_each(
    *, verb: Verb, guests: Iterable[Instance], actor: User, volumes: Volumes = "keep", key: str | None = None
) -> list[Outcome]:
    """Ask for the change of each guest, by the same services as for one; a refusal of one stops no other."""
    return [ask_one(verb, guest, actor, volumes, f"{key}:{guest.pk}" if key else None) for guest in guests]


def ask_one(verb: Verb, guest: Instance, actor: User, volumes: Volumes, key: str | None) -> Outcome:
    try:
        if verb is actions.DELETE:
            task = services.delete_instance(instance=guest, volumes=volumes, actor=actor, key=key)
        else:
            task = services.power(verb=verb, instance=guest, actor=actor, key=key)
    except Refused as refusal:
        return Outcome(guest.pk, guest.name, problem=refusal.problem())
    except PermissionDenied as refusal:
        title = _("Not allowed")
        return Outcome(guest.pk, guest.name, problem=Refused(str(refusal), title=title).problem())
    return Outcome(guest.pk, guest.name, task=task)


def chosen(request: HttpRequest, data: QueryDict) -> tuple[BulkForm, QuerySet[Instance]]:
    """The valid form, and those of its guests that the user may see. Raises Invalid."""
    form = BulkForm(data)
    form.require_valid()
    seen = Instance.objects.visible_to(request.user).with_host().filter(pk__in=form.cleaned_data["ids"])
    return form, seen.order_by("name", "pk")


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    form, guests = chosen(request, request.POST)
    outcomes = ask_each(
        verb=form.cleaned_data["verb"],
        guests=guests,
        actor=actor_of(request.user),
        volumes=form.cleaned_data["volumes"],
        key=request.POST.get("idempotency_key") or None,
    )
    gone = form.cleaned_data["ids"] - {outcome.id for outcome in outcomes}
    missing = Refused(_("It is not there any more."), title=_("No such guest")).problem()
    outcomes += [Outcome(id, _("A guest"), problem=missing) for id in sorted(gone)]
    if request.headers.get("X-Webvirt-Toast"):
        return JsonResponse({"results": [outcome.shape(request) for outcome in outcomes]})
    tell(request, outcomes)
    return redirect("instances:list")


def tell(request: HttpRequest, outcomes: list[Outcome]) -> None:
    """Say on the next page what became of each, for a browser without scripts."""
    tasks = sum(outcome.task is not None for outcome in outcomes)
    if tasks:
        messages.success(
            request, ngettext("%(n)d change was asked for.", "%(n)d changes were asked for.", tasks) % {"n": tasks}
        )
    for outcome in outcomes:
        if outcome.problem:
            messages.error(request, f"{outcome.name}: {outcome.problem['detail']}")


@dataclass(frozen=True)
class Going:
    """A guest that is to be deleted, and its disks that would go with it."""

    guest: Instance
    disks: list[OwnDisk]


@require_GET
def bulk_delete(request: HttpRequest) -> HttpResponse:
    """What would go with the chosen guests, and a word to type."""
    data = request.GET.copy()
    data["verb"] = actions.DELETE.name
    guests: list[Instance] = []
    if BulkForm(data).is_valid():
        _form, seen = chosen(request, data)
        rights = most(request.user, [guest.ref for guest in seen])
        able = [guest for guest in seen if rights[guest.ref] >= actions.DELETE.right]
        guests = [guest for guest in able if offers(guest, actions.DELETE.name)]
    going = [Going(guest, made_disks(guest, request.user)) for guest in guests]
    disks = [disk for one in going for disk in one.disks]
    some = ngettext("%(n)d guest", "%(n)d guests", len(going)) % {"n": len(going)}
    template = "_bulk_delete" if request.headers.get("X-Webvirt-Live") else "bulk_delete"
    context = {
        "going": going,
        "disks": disks,
        "bytes": sum(disk.volume.capacity_bytes for disk in disks),
        "name": str(len(going)),
        "some": some,
        "action": reverse("instances:bulk"),
        "toast": str(actions.DELETE.doing) % {"name": some},
        "toast_done": actions.DELETE.label,
    }
    return render(request, f"instances/{template}.html", context)


def made_disks(guest: Instance, user: Any) -> list[OwnDisk]:
    """The guest's disks that were made for it, that nothing else uses, and that the user may delete."""
    disks = [disk for disk in own_disks(guest, user) if disk.made_for_it and not disk.kept_because]
    rights = most(user, [disk.volume.ref for disk in disks])
    return [disk for disk in disks if rights.get(disk.volume.ref, Action.SEE) >= Action.MANAGE]
