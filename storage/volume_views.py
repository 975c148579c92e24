"""What is asked of volumes."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.rights import actor_of
from storage import volumes
from storage.dialogs import asking, dialog, managed_pool, managed_volume, pool_url
from storage.forms import CloneForm, ConfirmForm, GrowForm, NewVolumeForm
from tasks.answers import asked, key_of


@asking
def create(request: HttpRequest, pk: int) -> HttpResponse:
    pool = managed_pool(request, pk)
    form = NewVolumeForm(request.POST or None, pool=pool)
    if request.method == "POST":
        form.require_valid()
        task = volumes.create_volume(
            pool=pool,
            name=form.cleaned_data["name"],
            format=form.cleaned_data["format"],
            size_bytes=form.size_bytes,
            actor=actor_of(request.user),
            key=key_of(request),
        )
        return asked(request, task, back=pool_url(pk))
    return dialog(
        request,
        "storage/_dialog.html",
        title=_("New volume in %(pool)s") % {"pool": pool.name},
        form=form,
        back=pool_url(pk),
        button=_("Create"),
        toast=_("Creating the volume…"),
        toast_done=_("The volume is there"),
    )


@asking
def grow(request: HttpRequest, pk: int) -> HttpResponse:
    volume = managed_volume(request, pk)
    form = GrowForm(request.POST or None, volume=volume)
    if request.method == "POST":
        form.require_valid()
        task = volumes.grow_volume(
            volume=volume, size_bytes=form.size_bytes, actor=actor_of(request.user), key=key_of(request)
        )
        return asked(request, task, back=pool_url(volume.pool_id))
    name = {"name": volume.name}
    return dialog(
        request,
        "storage/_dialog.html",
        title=_("Grow %(name)s") % name,
        text=_("A running guest sees the new size at once; what is on the disk is then grown inside the guest."),
        form=form,
        back=pool_url(volume.pool_id),
        button=_("Grow"),
        toast=_("Growing %(name)s…") % name,
        toast_done=_("%(name)s has its new size") % name,
    )


@asking
def clone(request: HttpRequest, pk: int) -> HttpResponse:
    volume = managed_volume(request, pk)
    form = CloneForm(request.POST or None, volume=volume, user=request.user)
    if request.method == "POST":
        form.require_valid()
        task = volumes.clone_volume(
            volume=volume,
            name=form.cleaned_data["name"],
            pool=form.cleaned_data["pool"],
            actor=actor_of(request.user),
            key=key_of(request),
        )
        return asked(request, task, back=pool_url(form.cleaned_data["pool"].pk))
    name = {"name": volume.name}
    return dialog(
        request,
        "storage/_dialog.html",
        title=_("Clone %(name)s") % name,
        text=_("The copy stands alone: it needs neither the original nor what that is built on."),
        form=form,
        back=pool_url(volume.pool_id),
        button=_("Clone"),
        toast=_("Copying %(name)s…") % name,
        toast_done=_("The copy of %(name)s is there") % name,
    )


@asking
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    volume = managed_volume(request, pk)
    if request.method == "POST":
        ConfirmForm(request.POST, name=volume.name).require_valid()
        task = volumes.delete_volume(volume=volume, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=pool_url(volume.pool_id))
    name = {"name": volume.name}
    return dialog(
        request,
        "storage/_delete.html",
        title=_("Delete %(name)s") % name,
        volume=volume,
        name=volume.name,
        why_kept=volumes.why_kept(volume, request.user),
        action=reverse("storage:volume-delete", args=[pk]),
        back=pool_url(volume.pool_id),
        toast=_("Deleting %(name)s…") % name,
        toast_done=_("%(name)s is deleted") % name,
    )


@asking
def download(request: HttpRequest, pk: int) -> HttpResponse:
    volume = managed_volume(request, pk)
    if request.method == "POST":
        task = volumes.download_volume(volume=volume, actor=actor_of(request.user), key=key_of(request))
        return asked(request, task, back=reverse("tasks:detail", args=[task.pk]))
    name = {"name": volume.name}
    return dialog(
        request,
        "storage/_dialog.html",
        title=_("Download %(name)s") % name,
        text=volumes.worth_alone(volume),
        back=pool_url(volume.pool_id),
        button=_("Download"),
        toast=_("Fetching %(name)s from its host…") % name,
        toast_done=_("%(name)s is being saved") % name,
        take=True,
    )
