"""What a page's form hears when it asked for a change."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from tasks.models import Task
from tasks.shapes import task_shape


def asked(request: HttpRequest, task: Task, *, back: str) -> HttpResponse:
    """The task, for a toast to follow; without scripts, the page `back` (a URL), where it shows."""
    if request.headers.get("X-Webvirt-Toast"):
        return JsonResponse({"task": task_shape(task, request)})
    return redirect(back)


def key_of(request: HttpRequest) -> str | None:
    """The key that a form carries, so that a press repeated by a browser is one change."""
    return request.POST.get("idempotency_key") or None
