"""The pages of tasks: every change that was asked for, and how it goes."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.rights import actor_of
from tasks import services
from tasks.answers import asked
from tasks.forms import TaskFilters
from tasks.models import Task
from tasks.places import place_of
from webvirt.listing import SIZES, paged, wanted_ids


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All tasks that one may see, the newest first; the query string says which."""
    if request.GET.get("block") == "strip":
        return render(request, "pieces/strip.html")
    filters = TaskFilters(request.GET, user=request.user)
    page = paged(filters.rows(), request)
    if request.headers.get("X-Webvirt-Live"):
        ids = wanted_ids(request)
        shown = [task for task in list(page.object_list) if ids is None or task.pk in ids]
        return render(request, "tasks/_rows.html", {"rows": rows_of(shown, request.user)})
    context = {"page": page, "filters": filters, "sizes": SIZES, "rows": rows_of(list(page.object_list), request.user)}
    return render(request, "tasks/list.html", context)


def rows_of(tasks: Iterable[Task], user: Any) -> list[dict[str, Any]]:
    """Each task with whether the user may cancel it; one query for all."""
    shown = list(tasks)
    allowed = services.cancellable(user, shown)
    return [{"task": task, "may_cancel": task.pk in allowed} for task in shown]


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One task: who, what, when, how far, its log, and what went wrong."""
    task = get_object_or_404(Task.objects.visible_to(request.user), pk=pk)
    context = {
        "task": task,
        "place": place_of(task),
        "lines": task.log.all(),
        "may_cancel": services.may_cancel(request.user, task),
    }
    return render(request, "tasks/_task.html" if request.GET.get("block") else "tasks/detail.html", context)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the end of a task."""
    task = get_object_or_404(Task.objects.visible_to(request.user), pk=pk)
    services.cancel(task=task, actor=actor_of(request.user))
    return asked(request, task, back=reverse("tasks:detail", args=[pk]))
