"""networks/: the virtual networks."""

from django.db.models import QuerySet
from rest_framework import serializers

from api.fields import Moment, Shape
from api.filters import NetworkFilter
from api.views import DetailView, ListView
from networks.models import Network


class NetworkSerializer(Shape):
    """A virtual network as last seen on its host. `forward` is libvirt's forward mode, "" for an isolated one."""

    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    host = serializers.IntegerField(source="host_id")
    host_name = serializers.CharField(source="host.name")
    stale_since = Moment(source="host.status.stale_since", allow_null=True)
    active = serializers.BooleanField()
    autostart = serializers.BooleanField()
    bridge = serializers.CharField()
    forward = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField(), help_text="In CIDR form.")
    dhcp_ranges = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), help_text="Pairs of the first and the last address."
    )


class Networks:
    """The networks that the user may see."""

    def rows(self) -> QuerySet[Network]:
        seen = Network.objects.visible_to(self.request.user)  # type: ignore[attr-defined]
        return seen.select_related("host__status").defer(
            "xml", "host__status__capabilities_xml", "host__status__domcapabilities_xml"
        )


class NetworkList(Networks, ListView):
    """The networks."""

    serializer_class = NetworkSerializer
    filterset_class = NetworkFilter
    search_fields = ("name", "bridge", "host__name")
    ordering_fields = (
        "id",
        "name",
        ("host", "host_id"),
        ("host_name", "host__name"),
        "active",
        "bridge",
        "forward",
    )
    ordering = ("name",)


class NetworkDetail(Networks, DetailView):
    """A network."""

    serializer_class = NetworkSerializer
