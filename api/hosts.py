"""hosts/: the hosts, what they can do, and what opens them."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import Action, require
from api.fields import Moment, Shape, Strict
from api.filters import HostFilter
from api.schema import changes
from api.views import DetailView, ListView, Rows, accepted, key_of
from hosts import services
from hosts.models import Host, HostStatus, Known
from hosts.secrets import Secrets, unseal_or_none
from hosts.upkeep import edit_host, remove_host

LONGEST_SECRET = 100_000


class CapabilitiesSerializer(Shape):
    """What the host is. Sizes are bytes; empty or 0 until it was first reached."""

    hostname = serializers.CharField()
    uuid = serializers.CharField(source="host_uuid", help_text="The machine's own: the same of one added twice.")
    arch = serializers.CharField()
    driver = serializers.CharField()
    hypervisor_version = serializers.CharField()
    libvirt_version = serializers.CharField()
    cpu_model = serializers.CharField()
    cpus = serializers.IntegerField()
    memory_bytes = serializers.IntegerField()
    kvm = serializers.BooleanField()
    kvm_reason = serializers.CharField(source="kvm_words")


class KeySerializer(Shape):
    """An ssh key of a host; its fingerprint is as `ssh-keygen -l` prints it."""

    algorithm = serializers.CharField()
    fingerprint = serializers.CharField()


class HostKeySerializer(Shape):
    """The ssh key that was confirmed to be the host's own, when and by whom."""

    algorithm = serializers.CharField(source="key.algorithm")
    fingerprint = serializers.CharField(source="key.fingerprint")
    at = Moment(source="host_key_at")
    by = serializers.CharField(source="host_key_by")


class HostSerializer(Shape):
    """A host as last seen; `state_detail` says in words why it is not up. `secrets` names those that are kept.

    `definitions` is `last_known` until those of all that lies on it have been read since it was last reached.
    """

    id = serializers.IntegerField()
    name = serializers.CharField()
    uri = serializers.CharField()
    state = serializers.ChoiceField(choices=HostStatus.State.choices, source="status.state")
    state_detail = serializers.CharField(source="status.why")
    state_since = Moment(source="status.since")
    last_seen = Moment(source="status.last_seen", allow_null=True)
    stale_since = Moment(source="status.stale_since", allow_null=True)
    definitions = serializers.ChoiceField(choices=Known.choices, source="status.definitions")
    secrets = serializers.SerializerMethodField()
    host_key = serializers.SerializerMethodField()
    notes = serializers.CharField()
    maintenance = serializers.BooleanField(help_text="It takes no new guests.")
    capabilities = CapabilitiesSerializer(source="status")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_secrets(self, host: Host) -> list[str]:
        return sorted((unseal_or_none(host.sealed) or Secrets()).known)

    @extend_schema_field(HostKeySerializer(allow_null=True))
    def get_host_key(self, host: Host) -> Any:
        return HostKeySerializer(host).data if host.host_key else None


class SecretField(serializers.CharField):
    """Taken, and never answered."""

    def __init__(self, help_text: str) -> None:
        super().__init__(
            required=False,
            write_only=True,
            allow_blank=True,
            trim_whitespace=False,
            max_length=LONGEST_SECRET,
            help_text=help_text,
        )


class ReachSerializer(Strict):
    """How a host is reached. Secrets are kept encrypted, and never answered."""

    uri = serializers.CharField(help_text="As libvirt writes it: `qemu:///system`, `qemu+ssh://USER@ADDRESS/system`.")
    password = SecretField("Of the SASL user in `uri` (tcp, tls).")
    private_key = SecretField("In OpenSSH's form, instead of Webvirt's own (ssh).")
    ca_certificate = SecretField("PEM (tls).")
    client_certificate = SecretField("PEM (tls).")
    client_key = SecretField("PEM (tls).")


class NewHostSerializer(ReachSerializer):
    """A new host."""

    name = serializers.CharField()


class EditHostSerializer(ReachSerializer):
    """What is left out stays."""

    name = serializers.CharField(required=False)
    notes = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    maintenance = serializers.BooleanField(required=False)


EDITED = ("name", "notes", "maintenance")


class FingerprintSerializer(Strict):
    fingerprint = serializers.CharField(max_length=100, help_text="As `ssh-keygen -l` prints it: `SHA256:…`.")


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
        given = dict(asked.validated_data)
        name, uri = given.pop("name"), given.pop("uri")
        host = services.add_host(name=name, uri=uri, secrets=Secrets(**given), actor=self.actor)
        location = request.build_absolute_uri(reverse("api:host", args=[host.pk]))
        return Response(self.get_serializer(host).data, status=201, headers={"Location": location})


class Hosts(Rows):
    """The hosts that the user may see."""

    serializer_class = HostSerializer

    def rows(self) -> QuerySet[Host]:
        return Host.objects.visible_to(self.request.user).with_status()


class HostDetail(Hosts, DetailView):
    """A host."""

    problems = ("409",)

    @extend_schema(request=EditHostSerializer(partial=True), responses={200: HostSerializer})
    def patch(self, request: Request, pk: int) -> Response:
        """Change a host, or how it is reached. What is left out stays; a secret that is `""` is forgotten."""
        host: Host = self.get_object()
        require(request.user, Action.ADMINISTER, None)
        asked = EditHostSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        edited = {name: given.pop(name) for name in EDITED if name in given}
        with transaction.atomic():
            if edited:
                edit_host(host, **edited, actor=self.actor)
            if given:
                services.change_address(host, uri=given.pop("uri", None), secrets=given, actor=self.actor)
        return Response(self.get_serializer(host).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Forget the host and the rights that were granted on it; the host itself stays as it is."""
        remove_host(self.get_object(), actor=self.actor)
        return Response(status=204)


class OfferedKeys(Hosts):
    """The ssh keys that the host shows."""

    # All of them, in a plain list.
    pagination_class = None
    problems = ("409",)

    @extend_schema(responses={200: KeySerializer(many=True)})
    def get(self, request: Request, pk: int) -> Response:
        """The ssh keys that the host shows now, the best first. Nothing vouches for them but your own comparison."""
        return Response(KeySerializer(services.offered_keys(self.get_object(), actor=self.actor), many=True).data)


class TrustKey(Hosts):
    """Confirming a host's ssh key."""

    problems = ("409",)

    @extend_schema(request=FingerprintSerializer, responses={200: HostSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Trust the key of this fingerprint, if the host shows it now (else 409). It replaces the one before."""
        host: Host = self.get_object()
        require(request.user, Action.ADMINISTER, None)
        asked = FingerprintSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.trust_fingerprint(host, fingerprint=asked.validated_data["fingerprint"], actor=self.actor)
        return Response(self.get_serializer(host).data)


class HostCheck(Hosts):
    """Whether a host can be used, and what to do where it cannot."""

    @changes()
    def post(self, request: Request, pk: int) -> Response:
        """Look at the host line by line, in whatever state it is: the task has the lines in its `result`."""
        task = services.check_host(host=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)
