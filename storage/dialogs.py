"""Dialogs, each of them a page of its own where it is no dialog; and what they are about."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.rights import Action, require
from storage.models import Pool, Volume

asking = require_http_methods(["GET", "HEAD", "POST"])


def managed_pool(request: HttpRequest, pk: int) -> Pool:
    """The pool, if the user may change what is in it; 404 where it may not be seen, 403 where only that."""
    pool = get_object_or_404(Pool.objects.visible_to(request.user).with_host(), pk=pk)
    require(request.user, Action.MANAGE, pool.ref)
    return pool


def managed_volume(request: HttpRequest, pk: int) -> Volume:
    rows = Volume.objects.visible_to(request.user).select_related("pool__host__status")
    volume = get_object_or_404(rows, pk=pk)
    require(request.user, Action.MANAGE, volume.ref)
    return volume


def pool_url(pool_id: int) -> str:
    return reverse("storage:detail", args=[pool_id])


def dialog(request: HttpRequest, inside: str, **context: Any) -> HttpResponse:
    """The inside of a dialog, or a page around it."""
    shown = {"inside": inside, **context}
    return render(request, inside if request.headers.get("X-Webvirt-Live") else "storage/dialog.html", shown)
