"""pools/ and volumes/: where disks and images lie."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import renderers, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.fields import MOST_BYTES, Id, Moment, Shape, Strict
from api.filters import PoolFilter, VolumeFilter
from api.schema import changes
from api.views import DetailView, ListView, Rows, accepted, key_of
from hosts.models import Host, Known
from storage import downloads, services, volumes
from storage.formats import DISKS
from storage.models import Pool, Volume, VolumeUse
from tasks.models import Task

Uses = dict[tuple[int, str], list[VolumeUse]]


class PoolSerializer(Shape):
    """A storage pool as last seen on its host."""

    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    host = serializers.IntegerField(source="host_id")
    host_name = serializers.CharField(source="host.name")
    type = serializers.CharField()
    state = serializers.ChoiceField(choices=Pool.State.choices)
    stale_since = Moment(allow_null=True)
    definition = serializers.ChoiceField(choices=Known.choices, source="host.status.definitions")
    autostart = serializers.BooleanField()
    path = serializers.CharField()
    capacity_bytes = serializers.IntegerField()
    allocation_bytes = serializers.IntegerField()
    available_bytes = serializers.IntegerField()


class UseSerializer(Shape):
    """A guest that uses the volume."""

    uuid = serializers.UUIDField(source="instance_uuid")
    name = serializers.CharField(source="instance_name")
    device = serializers.CharField()
    readonly = serializers.BooleanField()


class VolumeSerializer(Shape):
    """A volume as last seen in its pool. `backing_path` is the image that it is built on."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    pool = serializers.IntegerField(source="pool_id")
    pool_name = serializers.CharField(source="pool.name")
    host = serializers.IntegerField(source="pool.host_id")
    host_name = serializers.CharField(source="pool.host.name")
    stale_since = Moment(source="pool.stale_since", allow_null=True)
    path = serializers.CharField()
    format = serializers.CharField()
    capacity_bytes = serializers.IntegerField()
    allocation_bytes = serializers.IntegerField()
    backing_path = serializers.CharField()
    used_by = serializers.SerializerMethodField()

    @extend_schema_field(UseSerializer(many=True))
    def get_used_by(self, volume: Volume) -> Any:
        uses: Uses = self.context["related"]
        return UseSerializer(uses.get((volume.pool.host_id, volume.path), []), many=True).data


class NewPoolSerializer(Strict):
    """A pool on a folder of the host, which is made where it is missing."""

    host = Id()
    name = serializers.CharField(trim_whitespace=False, max_length=300)
    path = serializers.CharField(trim_whitespace=False, max_length=4096, help_text="The whole path, as `/srv/images`.")
    type = serializers.ChoiceField(choices=("dir",), default="dir")
    autostart = serializers.BooleanField(default=True, help_text="Whether it starts with its host.")


class PatchPoolSerializer(Strict):
    autostart = serializers.BooleanField(help_text="Whether it starts with its host.")


class PoolList(ListView):
    """The storage pools."""

    serializer_class = PoolSerializer
    filterset_class = PoolFilter
    search_fields = ("name", "path", "host__name")
    ordering_fields = (
        "id",
        "name",
        ("host", "host_id"),
        ("host_name", "host__name"),
        "type",
        "state",
        "capacity_bytes",
        "available_bytes",
        "allocation_bytes",
    )
    ordering = ("name",)

    def rows(self) -> QuerySet[Pool]:
        return pools_of(self.request.user)

    @changes(request=NewPoolSerializer)
    def post(self, request: Request) -> Response:
        """Create a pool and start it; for administrators, since it opens a folder of the host."""
        asked = NewPoolSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        hosts = Host.objects.visible_to(request.user).select_related("status")
        host = get_object_or_404(hosts, pk=wanted["host"])
        fields = {name: wanted[name] for name in ("name", "path", "autostart")}
        return accepted(request, services.create_pool(host=host, **fields, actor=self.actor, key=key_of(request)))


class Pools(Rows):
    """The pools that the user may see."""

    serializer_class = PoolSerializer

    def rows(self) -> QuerySet[Pool]:
        return pools_of(self.request.user)


class PoolDetail(Pools, DetailView):
    """A storage pool."""

    @changes(request=PatchPoolSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change whether the pool starts with its host."""
        pool = self.get_object()
        asked = PatchPoolSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        task = services.set_pool_autostart(pool=pool, **asked.validated_data, actor=self.actor, key=key_of(request))
        return accepted(request, task)

    @changes()
    def delete(self, request: Request, pk: int) -> Response:
        """Let the host forget the pool; its folder and all that lies in it stay."""
        task = services.remove_pool(pool=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class PoolAction(Pools):
    """POST without a body: one change of one pool."""

    service: ClassVar[Callable[..., Task]]

    @changes()
    def post(self, request: Request, pk: int) -> Response:
        task = type(self).service(pool=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class PoolStart(PoolAction):
    """Make the pool active."""

    service = services.start_pool


class PoolStop(PoolAction):
    """Make the pool inactive; what lies in it stays."""

    service = services.stop_pool


class PoolRefresh(PoolAction):
    """Have the host look again at what lies in the pool."""

    service = services.refresh_pool


class Volumes:
    """The volumes that the user may see, with who uses them."""

    request: Any

    def rows(self) -> QuerySet[Volume]:
        seen = Volume.objects.visible_to(self.request.user)
        return seen.select_related("pool__host__status").defer(
            "pool__xml", "pool__host__status__capabilities_xml", "pool__host__status__domcapabilities_xml"
        )

    def related(self, rows: Sequence[Any]) -> Uses:
        found: Uses = {}
        hosts = {volume.pool.host_id for volume in rows}
        for use in VolumeUse.objects.filter(host__in=hosts, path__in=[volume.path for volume in rows]):
            found.setdefault((use.host_id, use.path), []).append(use)
        return found


class NewVolumeSerializer(Strict):
    """An empty volume. In a pool whose volumes are files it takes room as it fills."""

    pool = Id()
    name = serializers.CharField(trim_whitespace=False, max_length=300)
    format = serializers.ChoiceField(choices=DISKS, default="qcow2")
    size_bytes = serializers.IntegerField(min_value=1, max_value=MOST_BYTES)


class SizeSerializer(Strict):
    size_bytes = serializers.IntegerField(min_value=1, max_value=MOST_BYTES)


class CopySerializer(Strict):
    """Left out: `pool` is the original's."""

    name = serializers.CharField(trim_whitespace=False, max_length=300)
    pool = Id(required=False, help_text="A pool of the same host.")


class VolumeList(Volumes, ListView):
    """The volumes; `?pool=` narrows to one pool."""

    serializer_class = VolumeSerializer
    filterset_class = VolumeFilter
    search_fields = ("name", "path")
    ordering_fields = (
        "id",
        "name",
        ("pool", "pool_id"),
        ("pool_name", "pool__name"),
        ("host", "pool__host_id"),
        ("host_name", "pool__host__name"),
        "path",
        "format",
        "capacity_bytes",
        "allocation_bytes",
    )
    ordering = ("name",)

    @changes(request=NewVolumeSerializer)
    def post(self, request: Request) -> Response:
        """Create an empty volume."""
        asked = NewVolumeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        pool = get_object_or_404(pools_of(request.user), pk=wanted.pop("pool"))
        return accepted(request, volumes.create_volume(**wanted, pool=pool, actor=self.actor, key=key_of(request)))


class VolumeDetail(Volumes, DetailView):
    """A volume."""

    serializer_class = VolumeSerializer

    @changes()
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the volume; 409 while a guest uses it, or another volume is built on it."""
        task = volumes.delete_volume(volume=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class Resize(Volumes, Rows):
    """Grow the volume; a running guest that has it as its disk sees that at once."""

    @changes(request=SizeSerializer)
    def post(self, request: Request, pk: int) -> Response:
        volume = self.get_object()
        asked = SizeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        task = volumes.grow_volume(volume=volume, **asked.validated_data, actor=self.actor, key=key_of(request))
        return accepted(request, task)


class Clone(Volumes, Rows):
    """Copy the volume into one that stands alone."""

    @changes(request=CopySerializer)
    def post(self, request: Request, pk: int) -> Response:
        volume = self.get_object()
        asked = CopySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        into = asked.validated_data.get("pool", volume.pool_id)
        task = volumes.clone_volume(
            volume=volume,
            name=asked.validated_data["name"],
            pool=get_object_or_404(pools_of(request.user), pk=into),
            actor=self.actor,
            key=key_of(request),
        )
        return accepted(request, task)


class AskDownload(Volumes, Rows):
    """Fetch the volume's content from its host; the task's `result.url` has it for 24 h."""

    @changes()
    def post(self, request: Request, pk: int) -> Response:
        task = volumes.download_volume(volume=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class FileRenderer(renderers.BaseRenderer):
    """nginx sends the file; here is only its name for it."""

    media_type = "application/octet-stream"
    format = "bin"
    charset = None
    render_style = "binary"


class Download(Rows):
    """A volume's content, for whoever asked for it, within 24 h; `Range` is understood."""

    renderer_classes = (renderers.JSONRenderer, FileRenderer)
    problems = ("409", "410")

    def rows(self) -> QuerySet[Task]:
        return downloads.downloads_of(self.actor)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        return downloads.answer(task=self.get_object(), user=self.actor)


def pools_of(user: Any) -> QuerySet[Pool]:
    seen = Pool.objects.visible_to(user)
    return seen.select_related("host__status").defer(
        "xml", "host__status__capabilities_xml", "host__status__domcapabilities_xml"
    )
