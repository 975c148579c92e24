"""pools/ and volumes/: where disks and images lie."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import Moment, Shape
from api.filters import PoolFilter, VolumeFilter
from api.views import DetailView, ListView
from storage.models import Pool, Volume, VolumeUse

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
    stale_since = Moment(source="host.status.stale_since", allow_null=True)
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
    stale_since = Moment(source="pool.host.status.stale_since", allow_null=True)
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


class PoolDetail(DetailView):
    """A storage pool."""

    serializer_class = PoolSerializer

    def rows(self) -> QuerySet[Pool]:
        return pools_of(self.request.user)


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


class VolumeDetail(Volumes, DetailView):
    """A volume."""

    serializer_class = VolumeSerializer


def pools_of(user: Any) -> QuerySet[Pool]:
    seen = Pool.objects.visible_to(user)
    return seen.select_related("host__status").defer(
        "xml", "host__status__capabilities_xml", "host__status__domcapabilities_xml"
    )
