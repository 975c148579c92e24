"""Who sends a PATCH, by the same session, CSRF check and tokens as everywhere; and what its headers say."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from accounts.models import ApiToken, User
from storage.errors import PatchRefused, TooLarge
from storage.models import Upload

NUMBER = re.compile(r"[0-9]{1,18}")
CHECKSUMS = ("sha1", "sha256")


@dataclass(frozen=True)
class Checksum:
    """What the body must come to, by the header Upload-Checksum."""

    algorithm: str
    digest: bytes

    def start(self) -> Any:
        return hashlib.new(self.algorithm, usedforsecurity=False)


@dataclass(frozen=True)
class Headers:
    """What a PATCH says of its body."""

    offset: int
    checksum: Checksum | None


def sender(request: ASGIRequest) -> User:
    """The user that the request speaks for. Raises PatchRefused: 401, or 403 for a token or session that may not."""
    kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return of_token(secret.strip())
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    if not isinstance(user, User):
        raise PatchRefused(401, _("Sign in, or send a token."))
    check = CsrfViewMiddleware(nothing)
    check.process_request(request)
    if check.process_view(request, nothing, (), {}) is not None:
        raise PatchRefused(403, _("The request does not carry this session's CSRF token, or comes from elsewhere."))
    return user


def nothing(request: HttpRequest) -> HttpResponse:
    """The view that Django's CSRF check wants to guard."""
    return HttpResponse()


def of_token(secret: str) -> User:
    token = ApiToken.objects.redeem(secret)
    if token is None:
        raise PatchRefused(401, _("This token is not valid."))
    if token.scope != ApiToken.Scope.WRITE:
        raise PatchRefused(403, _("This token may only read."))
    return token.user


def upload_of(request: ASGIRequest, upload_id: UUID) -> Upload:
    """The open upload that the sender may go on with. Raises PatchRefused: 401, 403, 404, 409."""
    user = sender(request)
    found = Upload.objects.visible_to(user).select_related("owner", "pool__host__status").filter(pk=upload_id).first()
    if found is None:
        raise PatchRefused(404, _("There is no such upload."))
    return found


def headers_of(request: ASGIRequest, upload: Upload) -> Headers:
    """Read the headers. Raises PatchRefused: 400, 412, 415; TooLarge."""
    found = request.headers
    if found.get("Tus-Resumable") != "1.0.0":
        raise PatchRefused(412, _("Send the header Tus-Resumable: 1.0.0."))
    if found.get("Content-Type", "").partition(";")[0].strip() != "application/offset+octet-stream":
        raise PatchRefused(415, _("Send the bytes as application/offset+octet-stream."))
    offset, announced = found.get("Upload-Offset", ""), found.get("Content-Length")
    if not NUMBER.fullmatch(offset):
        raise PatchRefused(400, _("Send the header Upload-Offset, a number of bytes."))
    # Unknown with a chunked body: what comes is counted all the same.
    if announced and int(offset) + int(announced) > upload.length:
        raise too_many(upload)
    return Headers(int(offset), checksum_of(found.get("Upload-Checksum")))


def checksum_of(header: str | None) -> Checksum | None:
    if header is None:
        return None
    algorithm, _space, encoded = header.partition(" ")
    if algorithm not in CHECKSUMS:
        raise PatchRefused(400, _("Send the checksum as sha1 or sha256."))
    try:
        return Checksum(algorithm, base64.b64decode(encoded, validate=True))
    except binascii.Error:
        raise PatchRefused(400, _("Send the checksum in base64."))


def too_many(upload: Upload) -> TooLarge:
    return TooLarge(_("More bytes came than the %(length)d announced for this file.") % {"length": upload.length})
