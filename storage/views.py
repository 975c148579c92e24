"""Pools, their volumes, and uploads."""

from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.rights import Action, actor_of, may, require
from hosts.drivers import keeps_changes, makes_guests, offers, require_offered
from hosts.models import Host
from storage import downloads, services, uploads
from storage.models import Pool, Upload
from storage.shown import SORTS, pools_of, upload_rows, volume_rows
from tasks.answers import asked, key_of
from webvirt.listing import SIZES, ordered, paged, searched, wanted_ids

CARDS = 60


@require_GET
def pool_list(request: HttpRequest) -> HttpResponse:
    """Pools as cards, by `?host=` and `?q=`."""
    host, text = request.GET.get("host", ""), searched(request)
    seen = Pool.objects.visible_to(request.user)
    context = {
        "page": paged(pools_of(request.user, host=host, text=text), request, size=CARDS),
        "host": host,
        "text": text,
        "may_create_pool": may(request.user, Action.ADMINISTER, None),
        "hosts": Host.objects.filter(pk__in=seen.values("host_id")).values_list("pk", "name"),
    }
    blocks = {"cards": "storage/_pools.html", "on_host": "storage/_on_host.html"}
    return render(request, blocks.get(request.GET.get("block", ""), "storage/list.html"), context)


@require_GET
def pool_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One pool beside those of its host, its volumes, and the uploads into it."""
    pool = get_object_or_404(Pool.objects.visible_to(request.user).with_host(), pk=pk)
    blocks = {
        "away": "_away",
        "cards": "_cards",
        "about": "_about",
        "uploads": "_uploads",
        "rows": "_rows",
        "foot": "_foot",
        "acts": "_pool_acts",
        "empty": "_empty",
    }
    asked = request.GET.get("block", "")
    block = asked if asked in blocks else ""
    context = {
        "pool": pool,
        "may_create_pool": may(request.user, Action.ADMINISTER, None) and offers(pool.host, services.CREATE_POOL),
        **rights_of(request, pool),
    }
    if block in ("", "cards"):
        context["cards"] = pools_of(request.user, host=str(pool.host_id))[:CARDS]
    if block in ("", "uploads"):
        context["uploads"] = upload_rows(pool, actor_of(request.user), done=False)
    if block in ("", "rows", "foot"):
        context |= volumes_of(request, pool)
    return render(request, f"storage/{blocks.get(block, 'detail')}.html", context)


def volumes_of(request: HttpRequest, pool: Pool) -> dict[str, Any]:
    """The page of volumes that the query string asks for."""
    text, ids = searched(request), wanted_ids(request)
    volumes = pool.volumes.select_related("pool")
    if text:
        volumes = volumes.filter(name__icontains=text)
    page = paged(ordered(volumes, request, SORTS, "name"), request)
    return {
        "page": page,
        "sizes": SIZES,
        "text": text,
        "volumes": volume_rows([row for row in page if ids is None or row.pk in ids], request.user),
        "taken": pool.volumes.aggregate(total=Sum("allocation_bytes"))["total"] or 0,
        "may_create": may_create(request, pool),
    }


def rights_of(request: HttpRequest, pool: Pool) -> dict[str, bool]:
    """What the viewer may do in the pool, as far as its host's driver can."""
    lasts = keeps_changes(pool.host)
    manages = lasts and may(request.user, Action.MANAGE, pool.ref)
    return {
        "may_operate": lasts and may(request.user, Action.OPERATE, pool.ref),
        "may_manage": manages,
        "may_upload": manages and offers(pool.host, uploads.STORE),
        "may_download": manages and offers(pool.host, downloads.KIND),
        "may_grow": manages and offers(pool.host, "storage.grow_volume"),
    }


def may_create(request: HttpRequest, pool: Pool) -> bool:
    """Whether guests can be made of what lies in the pool."""
    return makes_guests(pool.host) and may(request.user, Action.MANAGE, pool.host.ref)


@require_GET
def upload_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose files, watch them come, go on to what they are for."""
    pool = get_object_or_404(Pool.objects.visible_to(request.user).with_host(), pk=pk)
    require(request.user, Action.MANAGE, pool.ref)
    require_offered(pool.host, uploads.STORE)
    context = {
        "pool": pool,
        "may_upload": True,
        "may_create": may_create(request, pool),
        "uploads": upload_rows(pool, actor_of(request.user), done=True),
    }
    block = request.GET.get("block") == "uploads"
    return render(request, "storage/_uploads.html" if block else "storage/upload.html", context)


@require_POST
def refresh(request: HttpRequest, pk: int) -> HttpResponse:
    pool = get_object_or_404(Pool.objects.visible_to(request.user).with_host(), pk=pk)
    task = services.refresh_pool(pool=pool, actor=actor_of(request.user), key=key_of(request))
    return asked(request, task, back=reverse("storage:detail", args=[pk]))


@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = get_object_or_404(Upload.objects.visible_to(request.user).select_related("pool__host__status"), pk=pk)
    task = uploads.retry_upload(upload=upload, actor=actor_of(request.user))
    return asked(request, task, back=reverse("storage:detail", args=[upload.pool_id]))


@require_POST
def abort(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = get_object_or_404(Upload.objects.visible_to(request.user).select_related("pool"), pk=pk)
    uploads.abort_upload(upload=upload, actor=actor_of(request.user))
    return redirect("storage:detail", upload.pool_id)
