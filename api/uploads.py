"""uploads/: files on their way into a pool, by tus 1.0.0.

PATCH, which carries the bytes, is storage.tus: it takes them before Django would spool them.
"""

import base64
import binascii
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.views import Rows
from storage import uploads
from storage.errors import PatchRefused
from storage.models import Pool, Upload
from tasks.errors import Invalid

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,checksum"
CHECKSUMS = "sha1,sha256"

RESUMABLE = OpenApiParameter("Tus-Resumable", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, enum=[VERSION])
LENGTH = OpenApiParameter(
    "Upload-Length", OpenApiTypes.INT64, OpenApiParameter.HEADER, required=True, description="Bytes."
)
METADATA = OpenApiParameter(
    "Upload-Metadata",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="`pool` (its id), `filename` (what the volume will be called) and perhaps `sha256`, "
    "each followed by its value in base64, with commas between them.",
)


class Tus(Rows):
    """What both addresses of tus have in common."""

    def rows(self) -> QuerySet[Upload]:
        return Upload.objects.visible_to(self.request.user).select_related("pool__host__status")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        asked = request.method in self.allowed_methods and request.method != "OPTIONS"
        if asked and request.headers.get("Tus-Resumable") != VERSION:
            raise PatchRefused(412, _("Send Tus-Resumable: %(version)s.") % {"version": VERSION})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Tus-Resumable"] = VERSION
        answer["Tus-Version"] = VERSION
        answer["Cache-Control"] = "no-store"
        return answer


class Uploads(Tus):
    """Open an upload, and learn what is understood here."""

    problems = ("409", "412", "413", "507")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Which version and extensions of tus are understood."""
        limit = {"Tus-Max-Size": str(settings.UPLOAD_MAX)} if settings.UPLOAD_MAX else {}
        return Response(
            status=204,
            headers={"Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": CHECKSUMS, **limit},
        )

    @extend_schema(
        request=None,
        responses={201: OpenApiResponse(description="`Location` is the upload's address: send it the bytes by PATCH.")},
        parameters=[RESUMABLE, LENGTH, METADATA],
    )
    def post(self, request: Request) -> Response:
        """Open an upload; needs the right to manage the pool.

        The bytes then go by PATCH to the address in `Location`, in as many parts as it takes: HEAD tells
        how many have come. The answer to the last part carries `Webvirt-Task`, the id of the task that moves
        the file into the pool.
        """
        metadata = metadata_of(request.headers.get("Upload-Metadata", ""))
        pools = Pool.objects.visible_to(request.user).select_related("host__status")
        pool = get_object_or_404(pools, pk=number_of(metadata.get("pool", ""), "pool"))
        upload = uploads.create_upload(
            owner=self.actor,
            pool=pool,
            filename=metadata.get("filename", ""),
            length=number_of(request.headers.get("Upload-Length", ""), "Upload-Length"),
            sha256=metadata.get("sha256", ""),
        )
        location = request.build_absolute_uri(reverse("api:upload", args=[upload.pk]))
        return Response(status=201, headers={"Location": location, "Upload-Offset": "0"})


class UploadDetail(Tus):
    """How far an upload is, and its end."""

    problems = ("409", "412")

    def head(self, request: Request, pk: UUID) -> Response:
        """How many bytes have come."""
        upload = self.get_object()
        headers = {"Upload-Offset": str(uploads.offset_of(upload)), "Upload-Length": str(upload.length)}
        if upload.task_id is not None:
            headers["Webvirt-Task"] = str(upload.task_id)
        return Response(headers=headers)

    @extend_schema(responses={204: None}, parameters=[RESUMABLE])
    def delete(self, request: Request, pk: UUID) -> Response:
        """End the upload and remove what has come."""
        uploads.abort_upload(upload=self.get_object(), actor=self.actor)
        return Response(status=204)


def metadata_of(header: str) -> dict[str, str]:
    """The pairs of Upload-Metadata: a key, and its value in base64. Raises Invalid."""
    found = {}
    for pair in header.split(","):
        key, _space, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid(_("Upload-Metadata cannot be read."), errors={key: [_("This is not text in base64.")]})
    return found


def number_of(text: str, field: str) -> int:
    """A whole number that a database can hold. Raises Invalid."""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise Invalid(_("A number is missing or wrong."), errors={field: [_("Give a whole number.")]})
