"""instances/: the guests, and what can be done with them."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import renderers, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from api.filters import GuestSearch, InstanceFilter, Ordering
from api.instance_shapes import (
    AskConsoleSerializer,
    ChangeMediaSerializer,
    ConsoleSerializer,
    InstanceSerializer,
    NewInstanceSerializer,
    PatchInstanceSerializer,
    Places,
    XmlSerializer,
)
from api.schema import changes
from api.views import DetailView, ListView, Rows, accepted, key_of
from console.services import console_shape, open_console
from hosts.drivers import SCREENSHOT, require_offered
from hosts.services import require_up
from instances import services
from instances.models import Instance
from instances.spec import Wanted, resolve
from storage.models import Volume
from tasks.asking import ask
from tasks.errors import Refused
from tasks.models import Task

SCREEN_SECONDS = 3.0


class Guests(Rows):
    """The guests that the user may see, with their hosts; without their XML, which only one view needs."""

    serializer_class = InstanceSerializer

    def rows(self) -> QuerySet[Instance]:
        seen = Instance.objects.visible_to(self.request.user).with_host()
        return seen.defer("xml", "inactive_xml", "host__status__capabilities_xml", "host__status__domcapabilities_xml")

    def related(self, rows: Sequence[Any]) -> Places:
        return Places.of(rows, self.request.user)


class InstanceList(Guests, ListView):
    """The guests."""

    filterset_class = InstanceFilter
    filter_backends = (DjangoFilterBackend, GuestSearch, Ordering)
    ordering_fields = (
        "id",
        "name",
        "title",
        "state",
        ("host", "host_id"),
        ("host_name", "host__name"),
        "vcpus",
        "memory_bytes",
        "autostart",
    )
    ordering = ("name",)

    @changes(request=NewInstanceSerializer)
    def post(self, request: Request) -> Response:
        """Create a guest: its disks, its definition, and its start if asked."""
        asked = NewInstanceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        spec = resolve(wanted_of(asked.validated_data), user=request.user)
        return accepted(request, services.create_instance(spec=spec, actor=self.actor, key=key_of(request)))


VOLUMES = OpenApiParameter(
    "volumes",
    OpenApiTypes.STR,
    enum=["keep", "delete"],
    default="keep",
    description="`delete` removes the disks that were made for it, never CD media, shared or read-only ones.",
)


class InstanceDetail(Guests, DetailView):
    """A guest."""

    @changes(request=PatchInstanceSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is said about the guest, or whether it starts with its host; what is left out stays."""
        instance = self.get_object()
        asked = PatchInstanceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        changes = cast("services.Edits", asked.validated_data)
        return accepted(
            request, services.edit(instance=instance, changes=changes, actor=self.actor, key=key_of(request))
        )

    @changes(parameters=(VOLUMES,))
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the guest, forced off first if it runs; its volumes stay unless asked otherwise."""
        instance = self.get_object()
        asked = VolumesSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        task = services.delete_instance(
            instance=instance, volumes=asked.validated_data["volumes"], actor=self.actor, key=key_of(request)
        )
        return accepted(request, task)


class VolumesSerializer(serializers.Serializer[Any]):
    volumes = serializers.ChoiceField(choices=("keep", "delete"), default="keep")


def wanted_of(asked: Mapping[str, Any]) -> Wanted:
    """The request in the shape that the page's form has as well."""
    cdrom = asked.get("cdrom")
    wanted = {field: value for field, value in asked.items() if field not in ("graphics", "os")}
    return cast("Wanted", {**wanted, "cdrom": cdrom["volume"] if cdrom else None})


class InstanceAction(Guests):
    """POST without a body: one change of one guest."""

    service: ClassVar[Callable[..., Task]]

    @changes()
    def post(self, request: Request, pk: int) -> Response:
        task = type(self).service(instance=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class Start(InstanceAction):
    """Start the guest, or let it go on from where it was saved."""

    service = services.start


class StartFromCd(InstanceAction):
    """Start the guest from its CD, for this once: its boot order stays as it is."""

    service = services.start_from_cd


class Shutdown(InstanceAction):
    """Ask the guest to shut down; the task succeeds when it is off."""

    service = services.shutdown


class Reboot(InstanceAction):
    """Ask the guest to reboot; the task succeeds when it was asked."""

    service = services.reboot


class Reset(InstanceAction):
    """Press the guest's reset button. Waits for no other change of it."""

    service = services.reset


class Destroy(InstanceAction):
    """Pull the guest's plug. Waits for no other change of it."""

    service = services.destroy


class Suspend(InstanceAction):
    """Stop the guest's processors, its memory kept."""

    service = services.suspend


class Resume(InstanceAction):
    """Let the paused guest go on."""

    service = services.resume


class Save(InstanceAction):
    """Write the guest's memory to its host's disk and end it; its next start goes on from there."""

    service = services.save

    @changes()
    def delete(self, request: Request, pk: int) -> Response:
        """Throw the guest's saved memory away, so that its next start is from the beginning."""
        task = services.discard(instance=self.get_object(), actor=self.actor, key=key_of(request))
        return accepted(request, task)


class Media(Guests):
    """Put an image into the guest's CD drive, or eject what is in it."""

    @changes(request=ChangeMediaSerializer)
    def post(self, request: Request, pk: int) -> Response:
        instance = self.get_object()
        asked = ChangeMediaSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        volume_id = asked.validated_data["volume"]
        images = Volume.objects.visible_to(request.user).select_related("pool")
        task = services.change_media(
            instance=instance,
            volume=None if volume_id is None else get_object_or_404(images, pk=volume_id),
            actor=self.actor,
            target=asked.validated_data.get("target"),
            key=key_of(request),
        )
        return accepted(request, task)


class Console(Guests):
    """Open the guest's display: an address for a browser, and one for a program."""

    problems = ("409",)

    @extend_schema(request=AskConsoleSerializer, responses={200: ConsoleSerializer})
    def post(self, request: Request, pk: int) -> Response:
        asked = AskConsoleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        instance = self.get_object()
        # A program's token has no session whose cookie could go with the display.
        session = None if isinstance(request.auth, ApiToken) else request._request.session.session_key
        token = open_console(instance=instance, actor=self.actor, session=session)
        shape = console_shape(token, instance=instance, request=request._request)
        return Response(ConsoleSerializer(shape).data)


class PngRenderer(renderers.BaseRenderer):
    media_type = "image/png"
    format = "png"
    charset = None
    render_style = "binary"

    def render(self, data: bytes, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return data


class Screenshot(Guests):
    """The guest's screen, at most 2 s old."""

    renderer_classes = (PngRenderer,)
    problems = ("409",)

    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        instance = self.get_object()
        require_up(instance.host)
        require_offered(instance.host, SCREENSHOT)
        if not instance.has_screen:
            raise Refused(_("%(name)s has no screen now.") % {"name": instance.name})
        found = ask(instance.host_id, SCREENSHOT, {"uuid": str(instance.uuid)}, timeout=SCREEN_SECONDS)
        return Response(base64.b64decode(found), headers={"Cache-Control": "private, max-age=2"})


class XmlRenderer(renderers.BaseRenderer):
    """The definition itself, for `Accept: application/xml`."""

    media_type = "application/xml"
    format = "xml"

    def render(self, data: Mapping[str, str], accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return data["xml"].encode()


class Xml(Guests):
    """The guest's definition: both as JSON, or the one in force with `Accept: application/xml`."""

    renderer_classes = (renderers.JSONRenderer, XmlRenderer)

    def rows(self) -> QuerySet[Instance]:
        return Instance.objects.visible_to(self.request.user)

    @extend_schema(responses={(200, "application/json"): XmlSerializer, (200, "application/xml"): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> Response:
        instance = self.get_object()
        return Response({"xml": instance.xml, "inactive_xml": instance.inactive_xml})
