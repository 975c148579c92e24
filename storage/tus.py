"""The PATCH of tus 1.0.0 as an ASGI application of its own.

Django keeps a whole body before a view runs, and drops it when its sender goes away. Here each piece
is appended to the spool as it comes, and what came before a cut stays: the file's size is the offset
that HEAD answers. Nothing but about a MiB of it is ever in memory.
"""

import asyncio
import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

from asgiref.sync import ThreadSensitiveContext
from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.utils import translation
from django.utils.translation import gettext as _

from storage import hashing, spool
from storage.errors import PatchRefused
from storage.incoming import Headers, headers_of, too_many, upload_of
from storage.models import Upload
from storage.uploads import offset_of, take_in
from tasks.errors import Refused

log = logging.getLogger(__name__)

PATH = re.compile(r"/api/v1/uploads/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?")
MIB = 1024**2

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def route_patches(application: Application) -> Application:
    """`application`, but for the PATCH of an upload, which is answered here."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        found = PATH.fullmatch(scope["path"])
        if scope["method"] == "PATCH" and found:
            await patch(scope, receive, send, UUID(found[1]))
        else:
            await application(scope, receive, send)

    return routed


class Gone(Exception):  # noqa: N818 - what happens, not a fault
    """The sender went away in the middle."""


async def patch(scope: Scope, receive: Receive, send: Send, upload_id: UUID) -> None:
    """Take the body into the spool, and answer: 204, or a problem document."""
    request = ASGIRequest(scope, BytesIO())  # for its headers and cookies alone
    with translation.override(translation.get_language_from_request(request)):
        try:
            async with ThreadSensitiveContext():
                headers = await take(request, receive, upload_id)
        except Gone:
            return
        except Refused as refused:
            await answer_problem(send, refused)
        except PermissionDenied as denied:
            await answer_problem(send, PatchRefused(403, str(denied)))
        except Exception:
            log.exception("upload %s failed by our own fault", upload_id)
            await answer_problem(send, PatchRefused(500, _("Webvirt's own fault; what has come so far is kept.")))
        else:
            await answer(send, 204, headers)


async def take(request: ASGIRequest, receive: Receive, upload_id: UUID) -> dict[str, str]:
    """Append the body; returns the answer's headers. Raises Refused in its kinds, and Gone."""
    upload = await database_sync_to_async(upload_of)(request, upload_id)
    headers = headers_of(request, upload)
    if upload.state == Upload.State.OPEN:
        with spool.held(upload.pk) as file:
            if file.size != headers.offset:
                raise wrong_offset(file.size)
            body = Body(upload, headers, file, receive)
            whole = await body.append()
            digest = await body.file_digest() if whole else ""
    else:
        digest = ""
        # The last answer was lost on its way: whoever asks again with nothing more to send gets it.
        whole = upload.length == headers.offset == offset_of(upload)
        if not whole:
            raise wrong_offset(offset_of(upload))
    answered = {"Upload-Offset": str(upload.length if whole else spool.size_of(upload.pk))}
    if whole:
        task = await database_sync_to_async(take_in)(upload=upload, digest=digest)
        answered["Webvirt-Task"] = str(task.pk)
    return answered


def wrong_offset(size: int) -> PatchRefused:
    return PatchRefused(409, _("The upload stands at %(size)d bytes; go on from there.") % {"size": size})


class Body:
    """A PATCH's body on its way into the spool."""

    def __init__(self, upload: Upload, headers: Headers, file: spool.Spool, receive: Receive) -> None:
        self.upload = upload
        self.start = headers.offset
        self.checksum = headers.checksum
        self.digest: Any = headers.checksum.start() if headers.checksum else None
        self.whole = hashing.running(upload.pk)
        self.file = file
        self.receive = receive
        self.room = upload.length - headers.offset

    async def append(self) -> bool:
        """Append it all, and say whether the file is whole now. Raises Refused, and Gone after keeping what came."""
        block = bytearray()
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                await self.leave(block)
            block += message.get("body", b"")
            more = message.get("more_body", False)
            if len(block) >= MIB or not more:
                await self.write(block)
                block = bytearray()
            if not more:
                break
        if self.checksum and not hmac.compare_digest(self.digest.digest(), self.checksum.digest):
            self.file.cut(self.start)
            raise PatchRefused(460, _("The bytes do not match their checksum: this part was dropped, send it again."))
        self.whole.follow(self.file.size)
        return self.room == 0

    async def write(self, block: bytearray) -> None:
        self.room -= len(block)
        if self.room < 0:
            self.file.cut(self.start)
            # It may have gone beyond what is left.
            hashing.forget(self.upload.pk)
            raise too_many(self.upload)
        if block:
            await asyncio.to_thread(self.keep, block)
            # What a checksum comes with is sure at its end only; what lay here before can be hashed meanwhile.
            self.whole.follow(self.start if self.checksum else self.file.size)

    async def file_digest(self) -> str:
        """The SHA-256 of the file, now that it is whole; "" where it is worked out sooner on its way to the host."""
        found = await asyncio.to_thread(self.whole.of, self.upload.length)
        hashing.forget(self.upload.pk)
        return found

    def keep(self, block: bytearray) -> None:
        self.file.append(block)
        if self.digest:
            self.digest.update(block)

    async def leave(self, block: bytearray) -> None:
        """Keep what came before the cut; what was to be checked as a whole cannot be, and goes."""
        if self.checksum:
            self.file.cut(self.start)
        else:
            await self.write(block)
        raise Gone


async def answer_problem(send: Send, refused: Refused) -> None:
    extra = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else {}
    body = json.dumps(refused.problem()).encode()
    await answer(send, refused.status, {"Content-Type": "application/problem+json", **extra}, body)


async def answer(send: Send, status: int, headers: dict[str, str], body: bytes = b"") -> None:
    always = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status != 204:
        always["Content-Length"] = str(len(body))
    named = [(name.lower().encode(), value.encode()) for name, value in {**always, **headers}.items()]
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})
