"""hosts/: the hosts, and what they can do."""

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import Action, require
from api.fields import Moment, Shape, Strict
from api.filters import HostFilter
from api.schema import changes
from api.views import DetailView, ListView, Rows, accepted, key_of
from hosts import services
from hosts.models import Host, HostStatus


class CapabilitiesSerializer(Shape):
    """What the host is. Sizes are bytes; empty or 0 until it was first reached."""

    hostname = serializers.CharField()
    arch = serializers.CharField()
    driver = serializers.CharField()
    hypervisor_version = serializers.CharField()
    libvirt_version = serializers.CharField()
    cpu_model = serializers.CharField()
    cpus = serializers.IntegerField()
    memory_bytes = serializers.IntegerField()
    kvm = serializers.BooleanField()
    kvm_reason = serializers.CharField(source="kvm_words")


class HostSerializer(Shape):
    """A host as last seen; `state_detail` says in words why it is not up."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    uri = serializers.CharField()
    state = serializers.ChoiceField(choices=HostStatus.State.choices, source="status.state")
    state_detail = serializers.CharField(source="status.why")
    state_since = Moment(source="status.since")
    last_seen = Moment(source="status.last_seen", allow_null=True)
    stale_since = Moment(source="status.stale_since", allow_null=True)
    capabilities = CapabilitiesSerializer(source="status")


class NewHostSerializer(Strict):
    name = serializers.CharField()
    uri = serializers.CharField(help_text="As libvirt writes it: `qemu:///system`, `qemu+tcp://ADDRESS/system`.")


class HostList(ListView):
    """The hosts."""

    serializer_class = HostSerializer
    filterset_class = HostFilter
    search_fields = ("name", "uri", "status__hostname")
    ordering_fields = (
        "id",
        "name",
        "uri",
        ("state", "status__state"),
        ("last_seen", "status__last_seen"),
        "created_at",
    )
    ordering = ("name",)
    problems = ("413", "415")

    def rows(self) -> QuerySet[Host]:
        return Host.objects.visible_to(self.request.user).with_status()

    @extend_schema(request=NewHostSerializer, responses={201: HostSerializer})
    def post(self, request: Request) -> Response:
        """Add a host. Webvirt connects to it by itself; its state says how that goes."""
        require(request.user, Action.ADMINISTER, None)
        asked = NewHostSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        host = services.add_host(**asked.validated_data, actor=self.actor)
        location = request.build_absolute_uri(reverse("api:host", args=[host.pk]))
        return Response(self.get_serializer(host).data, status=201, headers={"Location": location})


class HostDetail(DetailView):
    """A host."""

    serializer_class = HostSerializer

    def rows(self) -> QuerySet[Host]:
        return Host.objects.visible_to(self.request.user).with_status()


class HostCheck(Rows):
    """Whether a host can be used, and what to do where it cannot."""

    def rows(self) -> QuerySet[Host]:
        return Host.objects.visible_to(self.request.user)

    @changes()
    def post(self, request: Request, pk: int) -> Response:
        """Look at the host line by line, in whatever state it is: the task has the lines in its `result`."""
        task = services.check_host(host=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)
