"""What is asked of pools."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Action, actor_of, require
from storage import services
from storage.dialogs import asking, dialog, managed_pool, pool_url
from storage.forms import AutostartForm, ConfirmForm, NewPoolForm
from storage.models import VolumeUse
from tasks.answers import asked, key_of


@asking
def create(request: HttpRequest) -> HttpResponse:
    require(request.user, Action.ADMINISTER, None)
    form = NewPoolForm(request.POST or None, initial={"host": request.GET.get("host")})
    if request.method == "POST":
        form.require_valid()
        task = services.create_pool(**form.cleaned_data, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=reverse("storage:list"))
    return dialog(
        request,
        "storage/_dialog.html",
        title=_("New pool"),
        text=_("A folder on the host, whose files are then volumes. It is made where it is missing."),
        form=form,
        back=reverse("storage:list"),
        button=_("Create"),
        toast=_("Creating the pool…"),
        toast_done=_("The pool is there"),
    )


@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    task = services.start_pool(pool=managed_pool(request, pk), actor=actor_of(request.user), key=key_of(request))
    return asked(request, task, back=pool_url(pk))


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    task = services.stop_pool(pool=managed_pool(request, pk), actor=actor_of(request.user), key=key_of(request))
    return asked(request, task, back=pool_url(pk))


@require_POST
def autostart(request: HttpRequest, pk: int) -> HttpResponse:
    pool = managed_pool(request, pk)
    form = AutostartForm(request.POST)
    form.require_valid()
    task = services.set_pool_autostart(
        pool=pool, **form.cleaned_data, actor=actor_of(request.user), key=key_of(request)
    )
    return asked(request, task, back=pool_url(pk))


@asking
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    pool = managed_pool(request, pk)
    if request.method == "POST":
        ConfirmForm(request.POST, name=pool.name).require_valid()
        task = services.remove_pool(pool=pool, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=reverse("storage:list"))
    paths = pool.volumes.values("path")
    name = {"name": pool.name}
    return dialog(
        request,
        "storage/_remove.html",
        title=_("Remove %(name)s") % name,
        pool=pool,
        name=pool.name,
        used=VolumeUse.objects.filter(host_id=pool.host_id, path__in=paths).exists(),
        action=reverse("storage:pool-remove", args=[pk]),
        back=pool_url(pk),
        then=reverse("storage:list"),
        toast=_("Removing %(name)s…") % name,
        toast_done=_("%(name)s is removed; its folder stays") % name,
    )
