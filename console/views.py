"""The console's page, its tokens, and the way to it while a guest is being made."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.rights import Action, actor_of, require
from console import services
from console.page import Page
from console.tokens import Kind
from instances.models import Instance
from tasks import views as task_pages
from tasks.models import Task
from tasks.services import may_cancel

BLOCKS = {"bar": "console/bar.html", "cover": "console/cover.html"}


def guest_or_404(request: HttpRequest, pk: int) -> Instance:
    return get_object_or_404(Instance.objects.visible_to(request.user).with_host(), pk=pk)


@require_safe
def console(request: HttpRequest, pk: int) -> HttpResponse:
    """The full window with the guest's display."""
    instance = guest_or_404(request, pk)
    if request.GET.get("type", Kind.VNC) != Kind.VNC:
        raise Http404
    require(request.user, Action.OPERATE, instance.ref)
    template = BLOCKS.get(request.GET.get("block", ""), "console/console.html")
    return render(request, template, {"page": Page(instance, request.user), "instance": instance})


@never_cache
@require_POST
def token(request: HttpRequest, pk: int) -> HttpResponse:
    """A token for the page's own script."""
    instance = guest_or_404(request, pk)
    made = services.open_console(instance=instance, actor=actor_of(request.user), session=request.session.session_key)
    return JsonResponse(services.console_shape(made, instance=instance, request=request))


@require_safe
def task(request: HttpRequest, pk: int) -> HttpResponse:
    """A task's page; with `?then=console` the console's frame, until the guest is there."""
    if request.GET.get("then") != "console":
        return task_pages.detail(request, pk)
    found = get_object_or_404(Task.objects.visible_to(request.user), pk=pk)
    instance = made_guest(request, found)
    block = request.GET.get("block")
    if instance and not block:
        return redirect("console:console", instance.pk)
    template = "console/progress.html" if block else "console/task.html"
    return render(
        request, template, {"task": found, "instance": instance, "may_cancel": may_cancel(request.user, found)}
    )


def made_guest(request: HttpRequest, task: Task) -> Instance | None:
    """The row of the guest that the task was about, once it has succeeded and the host was read after it."""
    if task.state != Task.State.SUCCEEDED or task.host_id is None or task.object_uuid is None:
        return None
    return Instance.objects.visible_to(request.user).filter(host_id=task.host_id, uuid=task.object_uuid).first()
