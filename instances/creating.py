"""The page of a new guest."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.rights import actor_of
from hosts.services import manages_any
from instances import services
from instances.create_form import NewGuest
from instances.spec import resolve
from tasks.errors import Invalid
from tasks.models import Task


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    if not manages_any(request.user):
        raise PermissionDenied(_("You may not create guests on any host."))
    posted = request.POST if request.method == "POST" else None
    new = NewGuest(request.user, request.GET, posted)
    task = ask_for(new, request) if posted is not None and new.is_valid() else None
    if task is None:
        return render(request, "instances/create.html", {"new": new, "form": new.form, "choices": new.choices})
    then = "?then=console" if task.arguments["start"] else ""
    return redirect(reverse("tasks:detail", args=[task.pk]) + then)


def ask_for(new: NewGuest, request: HttpRequest) -> Task | None:
    """The task; None where the form was refused, with the reasons at its fields."""
    key = request.POST.get("idempotency_key") or None
    try:
        spec = resolve(new.wanted(), user=request.user)
        return services.create_instance(spec=spec, actor=actor_of(request.user), key=key)
    except Invalid as refusal:
        new.take(refusal)
        return None
