"""networks/: the virtual networks, and interfaces/: the hosts' own."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.fields import Moment, Shape, Strict
from api.filters import InterfaceFilter, NetworkFilter
from api.schema import changes
from api.views import DetailView, ListView, Rows, accepted, key_of
from hosts.models import Known
from networks import services
from networks.models import Interface, Lease, Network
from networks.shown import attached
from networks.spec import MODES, resolve
from tasks.models import Task


class NetworkSerializer(Shape):
    """A virtual network as last seen on its host. `forward` is libvirt's forward mode, "" for an isolated one."""

    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    host = serializers.IntegerField(source="host_id")
    host_name = serializers.CharField(source="host.name")
    stale_since = Moment(allow_null=True)
    definition = serializers.ChoiceField(choices=Known.choices, source="host.status.definitions")
    active = serializers.BooleanField()
    autostart = serializers.BooleanField()
    bridge = serializers.CharField()
    persistent = serializers.BooleanField()
    forward = serializers.CharField()
    domain = serializers.CharField(help_text="The DNS domain of its guests, if any.")
    addresses = serializers.ListField(child=serializers.CharField(), help_text="In CIDR form.")
    dhcp_ranges = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), help_text="Pairs of the first and the last address."
    )


class NewNetworkSerializer(Strict):
    """A network to be made. Guests on a bridge of the host have no more than `bridge`; the other modes have none."""

    host = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=MODES)
    subnet = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="IPv4, as `192.168.150.0/24`: the host gets the first address, or the one written. Left out: a range "
        "that nothing on the host is known to have. Empty: none, for an isolated network.",
    )
    dhcp = serializers.BooleanField(default=True)
    dhcp_first = serializers.CharField(required=False, help_text="Left out: as many addresses as there are.")
    dhcp_last = serializers.CharField(required=False)
    ipv6 = serializers.CharField(required=False, help_text="A /64, as `fd00:1::/64`.")
    domain = serializers.CharField(required=False)
    bridge = serializers.CharField(required=False, help_text="A bridge that the host has.")
    autostart = serializers.BooleanField(default=True)
    start = serializers.BooleanField(default=True)


class PatchNetworkSerializer(Strict):
    autostart = serializers.BooleanField()


class LeaseSerializer(Shape):
    """An address that the network's DHCP server gave out; `expires` is null for one without an end."""

    address = serializers.CharField(source="lease.address")
    mac = serializers.CharField(source="lease.mac")
    hostname = serializers.CharField(source="lease.hostname")
    expires = Moment(source="lease.expires", allow_null=True)
    instance = serializers.IntegerField(
        source="card.instance_id", default=None, allow_null=True, help_text="The guest that has it, if one is known."
    )


class Networks(Rows):
    """The networks that the user may see."""

    def rows(self) -> QuerySet[Network]:
        seen = Network.objects.visible_to(self.request.user)
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

    @changes(request=NewNetworkSerializer)
    def post(self, request: Request) -> Response:
        """Make a network, and start it unless asked otherwise."""
        asked = NewNetworkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        spec = resolve(asked.validated_data, user=request.user)
        return accepted(request, services.create_network(spec=spec, actor=self.actor, key=key_of(request)))


class NetworkDetail(Networks, DetailView):
    """A network."""

    serializer_class = NetworkSerializer

    @changes(request=PatchNetworkSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change whether the network starts with its host."""
        network = self.get_object()
        asked = PatchNetworkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        task = services.set_autostart(
            network=network, autostart=asked.validated_data["autostart"], actor=self.actor, key=key_of(request)
        )
        return accepted(request, task)

    @changes()
    def delete(self, request: Request, pk: int) -> Response:
        """Stop the network and forget it. Refused while a guest, running or not, has a card on it."""
        task = services.remove_network(network=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class NetworkAction(Networks):
    """POST without a body: one change of one network."""

    service: ClassVar[Callable[..., Task]]

    @changes()
    def post(self, request: Request, pk: int) -> Response:
        task = type(self).service(network=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class Start(NetworkAction):
    """Start the network."""

    service = services.start_network


class Stop(NetworkAction):
    """Stop the network. Running guests with a card on it lose it until they are started again."""

    service = services.stop_network


class LeaseList(ListView):
    """The addresses that the network's DHCP server has given out, as far as their guests may be seen."""

    serializer_class = LeaseSerializer
    queryset = Lease.objects.none()
    filter_backends = ()

    def filter_queryset(self, queryset: Any) -> Any:
        return queryset

    def get_queryset(self) -> Any:
        networks = Network.objects.visible_to(self.request.user)
        return attached(get_object_or_404(networks, pk=self.kwargs["pk"]), self.request.user).leases


class InterfaceSerializer(Shape):
    """A network interface of a host. `type` is "" where the host does not say, and `addresses` are told by few."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    host = serializers.IntegerField(source="host_id")
    host_name = serializers.CharField(source="host.name")
    type = serializers.CharField(help_text="`ethernet`, `bridge`, `bond` or `vlan`.")
    mac = serializers.CharField()
    active = serializers.BooleanField()
    addresses = serializers.ListField(child=serializers.CharField(), help_text="In CIDR form.")


class InterfaceList(ListView):
    """The hosts' own network interfaces."""

    serializer_class = InterfaceSerializer
    filterset_class = InterfaceFilter
    search_fields = ("name", "mac", "host__name")
    ordering_fields = ("id", "name", ("host", "host_id"), ("host_name", "host__name"), "type")
    ordering = ("name",)

    def rows(self) -> QuerySet[Interface]:
        return Interface.objects.visible_to(self.request.user).select_related("host")


class InterfaceDetail(DetailView):
    """A network interface of a host."""

    serializer_class = InterfaceSerializer

    def rows(self) -> QuerySet[Interface]:
        return Interface.objects.visible_to(self.request.user).select_related("host")
