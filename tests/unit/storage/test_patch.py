"""The PATCH of tus, driven as a server drives it: pieces come, and the sender may go away at any of them."""

import base64
import errno
import hashlib
import json
import os
import random
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.middleware.csrf import _get_new_csrf_string

from accounts.models import ApiToken
from hosts.upkeep import remove_host
from storage import hashing, spool
from storage.models import Upload
from storage.tus import route_patches
from tasks.models import Task
from tests.unit.storage.test_uploads import QCOW2, fill, open_upload
from tests.unit.world import World

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = random.Random(7).randbytes(3 * 1024**2 + 17)
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@dataclass
class Answer:
    """What was sent back; `status` is None where nobody was there any more."""

    status: int | None
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        return dict(json.loads(self.body))


async def django(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def patch(
    upload: Upload,
    body: bytes,
    *,
    offset: int,
    cut: int | None = None,
    piece: int = 65536,
    path: str = "/api/v1/uploads/{}/",
    method: str = "PATCH",
    before_last: Callable[[], object] | None = None,
    **headers: str | None,
) -> Answer:
    """Send `body` in pieces; with `cut`, go away after so many bytes of it. Headers that are None are left out."""
    own = {"Host": "webvirt.example", "Upload-Offset": str(offset), "Content-Length": str(len(body))}
    given = {name: value for name, value in {**TUS, **own, **headers}.items() if value is not None}
    scope = {
        "type": "http",
        "method": method,
        "path": path.format(upload.pk),
        "query_string": b"",
        "headers": [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in given.items()],
    }
    sent = body if cut is None else body[:cut]
    messages = [
        {"type": "http.request", "body": sent[at : at + piece], "more_body": cut is not None or at + piece < len(sent)}
        for at in range(0, len(sent), piece)
    ] or [{"type": "http.request", "body": b"", "more_body": cut is not None}]
    coming = iter([*messages, {"type": "http.disconnect"}])
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        message = next(coming)
        if before_last and message is messages[-1]:
            await database_sync_to_async(before_last)()
        return message

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    async_to_sync(route_patches(django))(scope, receive, send)
    if not answered:
        return Answer(None, {}, b"")
    named = {name.decode(): value.decode() for name, value in answered[0]["headers"]}
    return Answer(answered[0]["status"], named, answered[1]["body"])


@pytest.fixture
def upload(world: World) -> Upload:
    return open_upload(world, length=len(CONTENT))


@pytest.fixture
def bearer(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.token('manager')}"}


def received(upload: Upload) -> bytes:
    return spool.path_of(upload.pk).read_bytes()


@pytest.mark.parametrize("seed", range(12))
def test_a_file_cut_at_random_places_comes_whole(upload: Upload, bearer: dict[str, str], seed: int) -> None:
    chance = random.Random(seed)
    while (offset := spool.size_of(upload.pk)) < len(CONTENT):
        left = CONTENT[offset:]
        cut = chance.choice([None, chance.randrange(len(left) + 1)])
        answer = patch(upload, left, offset=offset, cut=cut, piece=chance.randint(1000, 2_000_000), **bearer)
        assert spool.size_of(upload.pk) == offset + (len(left) if cut is None else cut)
        assert answer.status == (204 if cut is None else None)
    assert hashlib.sha256(received(upload)).digest() == hashlib.sha256(CONTENT).digest()
    answer = patch(upload, b"", offset=len(CONTENT), **bearer)
    task = Task.objects.get(kind="storage.upload")
    assert (answer.status, answer.headers["webvirt-task"]) == (204, str(task.pk))
    assert answer.headers["upload-offset"] == str(len(CONTENT))
    # An answer that was lost on its way is given again.
    assert patch(upload, b"", offset=len(CONTENT), **bearer).headers["webvirt-task"] == str(task.pk)
    assert Task.objects.filter(kind="storage.upload").count() == 1


def test_a_hundred_files_cut_at_random_places_come_as_they_were_sent(world: World, bearer: dict[str, str]) -> None:
    chance = random.Random(2026)
    for number in range(100):
        content = chance.randbytes(chance.randint(1, 300_000))
        upload = open_upload(world, filename=f"{number}.img", length=len(content))
        cuts = 0
        while (offset := spool.size_of(upload.pk)) < len(content):
            # At least one cut each; after some, the rest comes in one go.
            cut = chance.randrange(len(content) - offset) if cuts == 0 or chance.random() < 0.7 else None
            answer = patch(
                upload, content[offset:], offset=offset, cut=cut, piece=chance.randint(1000, 90_000), **bearer
            )
            assert answer.status == (204 if cut is None else None)
            cuts += cut is not None
        assert hashlib.sha256(received(upload)).digest() == hashlib.sha256(content).digest()
        spool.remove(upload.pk)


def test_a_file_that_comes_in_one_part_is_hashed_as_it_comes(upload: Upload, bearer: dict[str, str]) -> None:
    assert patch(upload, CONTENT, offset=0, **bearer).status == 204
    upload.refresh_from_db()
    assert upload.digest == hashlib.sha256(CONTENT).hexdigest()


def digest_of(upload: Upload) -> str:
    upload.refresh_from_db()
    assert upload.state == "received"
    return upload.digest


def test_a_file_that_comes_in_parts_is_hashed_as_it_comes(upload: Upload, bearer: dict[str, str]) -> None:
    assert patch(upload, CONTENT[:1000], offset=0, **bearer).status == 204
    assert patch(upload, CONTENT[1000:], offset=1000, cut=1_500_000, **bearer).status is None
    assert patch(upload, CONTENT[1_501_000:], offset=1_501_000, **bearer).status == 204
    assert digest_of(upload) == hashlib.sha256(CONTENT).hexdigest()


def test_a_hash_knows_what_another_process_took_in(
    upload: Upload, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert patch(upload, CONTENT[:1000], offset=0, **bearer).status == 204
    with monkeypatch.context() as other:
        other.setattr(hashing, "_running", OrderedDict())
        assert patch(upload, CONTENT[1000:2_000_000], offset=1000, **bearer).status == 204
    assert patch(upload, CONTENT[2_000_000:], offset=2_000_000, **bearer).status == 204
    assert digest_of(upload) == hashlib.sha256(CONTENT).hexdigest()


def test_a_hash_has_nothing_of_what_was_dropped(upload: Upload, bearer: dict[str, str]) -> None:
    wrong = base64.b64encode(hashlib.sha256(b"else").digest()).decode()
    checked = {**bearer, "Upload_Checksum": f"sha256 {wrong}"}
    false = bytes(len(CONTENT) - 1000)
    assert patch(upload, CONTENT[:1000], offset=0, **bearer).status == 204
    assert patch(upload, false, offset=1000, **checked).status == 460
    assert patch(upload, false, offset=1000, cut=2_500_000, **checked).status is None
    assert patch(upload, false + b"!", offset=1000, **{**bearer, "Content_Length": None}).status == 413
    assert patch(upload, CONTENT[1000:], offset=1000, **bearer).status == 204
    assert digest_of(upload) == hashlib.sha256(CONTENT).hexdigest()


def test_nobody_waits_for_a_hash_that_is_far_behind(
    upload: Upload, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "NEAR_BYTES", 1000)
    others, done = threading.Barrier(3), threading.Event()
    for _thread in range(2):
        hashing.threads.submit(lambda: (others.wait(), done.wait()))
    others.wait()
    try:
        assert patch(upload, CONTENT, offset=0, **bearer).status == 204
    finally:
        done.set()
    assert digest_of(upload) == ""


def test_a_part_moves_the_offset_and_asks_for_no_task(upload: Upload, bearer: dict[str, str]) -> None:
    answer = patch(upload, CONTENT[:1000], offset=0, path="/api/v1/uploads/{}", **bearer)
    assert (answer.status, answer.headers["upload-offset"]) == (204, "1000")
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert "webvirt-task" not in answer.headers
    assert not Task.objects.filter(kind="storage.upload").exists()


def test_anything_else_goes_to_django(upload: Upload, bearer: dict[str, str]) -> None:
    assert patch(upload, b"", offset=0, method="HEAD", **bearer).status == 299
    assert patch(upload, b"", offset=0, path="/api/v1/uploads/{}/more", **bearer).status == 299


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Tus-Resumable": None}, 412),
        ({"Content-Type": "application/json"}, 415),
        ({"Upload-Offset": "7"}, 409),
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": None}, 400),
        ({"Upload-Checksum": "md5 AAAA"}, 400),
        ({"Upload-Checksum": "sha1 not base64!"}, 400),
    ],
)
def test_it_holds_to_the_protocol(
    upload: Upload, bearer: dict[str, str], headers: dict[str, str | None], status: int
) -> None:
    answer = patch(upload, CONTENT[:100], **{"offset": 0, **bearer, **headers})
    assert answer.status == status
    assert answer.problem["status"] == status
    assert answer.problem["detail"]
    assert received(upload) == b""


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_was_announced_is_cut_off(upload: Upload, bearer: dict[str, str], announced: bool) -> None:
    patch(upload, CONTENT[:5000], offset=0, **bearer)
    extra = {} if announced else {"Content-Length": None}
    answer = patch(upload, CONTENT[5000:] + b"!", offset=5000, **bearer, **extra)
    assert answer.status == 413
    assert received(upload) == CONTENT[:5000]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_part_that_does_not_match_its_checksum_is_dropped(
    upload: Upload, bearer: dict[str, str], algorithm: str
) -> None:
    part = CONTENT[:2_000_000]
    right = base64.b64encode(hashlib.new(algorithm, part).digest()).decode()
    wrong = base64.b64encode(hashlib.new(algorithm, b"else").digest()).decode()
    assert patch(upload, part, offset=0, Upload_Checksum=f"{algorithm} {wrong}", **bearer).status == 460
    assert received(upload) == b""
    # Half of it cannot be checked.
    assert patch(upload, part, offset=0, cut=1_500_000, Upload_Checksum=f"{algorithm} {right}", **bearer).status is None
    assert received(upload) == b""
    assert patch(upload, part, offset=0, Upload_Checksum=f"{algorithm} {right}", **bearer).status == 204
    assert received(upload) == part


def test_one_sender_at_a_time(upload: Upload, bearer: dict[str, str]) -> None:
    with spool.held(upload.pk):
        assert patch(upload, CONTENT, offset=0, **bearer).status == 423
    assert patch(upload, CONTENT[:10], offset=0, **bearer).status == 204


def test_a_full_disk_keeps_what_fitted(upload: Upload, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def full(descriptor: int, block: memoryview) -> int:
        if os.fstat(descriptor).st_size >= 1000:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, block[:1000])

    monkeypatch.setattr(spool.os, "write", full)
    answer = patch(upload, CONTENT, offset=0, **bearer)
    assert answer.status == 507
    assert "full" in answer.problem["detail"]
    assert received(upload) == CONTENT[:1000]


def test_a_cancelled_upload_takes_no_more(upload: Upload, bearer: dict[str, str]) -> None:
    spool.remove(upload.pk)
    assert patch(upload, CONTENT, offset=0, **bearer).status == 404


def test_a_refused_image_is_gone_with_the_words_why(world: World, bearer: dict[str, str]) -> None:
    head = QCOW2 + (104).to_bytes(8, "big") + (11).to_bytes(4, "big") + bytes(84) + b"/etc/shadow"
    upload = open_upload(world, filename="disk.qcow2", length=len(head))
    answer = patch(upload, head, offset=0, **bearer)
    assert answer.status == 422
    assert "/etc/shadow" in answer.problem["detail"]
    assert not Upload.objects.exists()
    assert patch(upload, b"", offset=len(head), **bearer).status == 404


def test_a_host_that_is_away_is_said_and_the_file_waits(world: World, upload: Upload, bearer: dict[str, str]) -> None:
    world.host_is_down()
    assert patch(upload, CONTENT, offset=0, **bearer).status == 503
    assert received(upload) == CONTENT


@pytest.mark.parametrize("what", ["host", "pool"])
def test_what_went_while_the_file_came_is_said(world: World, upload: Upload, bearer: dict[str, str], what: str) -> None:
    """It is no fault of Webvirt's, which would have the browser try again."""
    end = {
        "host": lambda: remove_host(upload.pool.host, actor=world.admin),
        "pool": upload.pool.delete,
    }[what]
    answer = patch(upload, CONTENT, offset=0, before_last=end, **bearer)
    assert answer.status == 404
    assert "removed" in answer.problem["detail"]
    assert not spool.path_of(upload.pk).exists()


def test_a_token_must_be_able_to_write(world: World, upload: Upload) -> None:
    reader = {"Authorization": f"Bearer {world.token('manager', ApiToken.Scope.READ)}"}
    assert patch(upload, CONTENT[:10], offset=0, **reader).status == 403
    wrong = patch(upload, CONTENT[:10], offset=0, Authorization="Bearer wv_wrong")
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"] == "Bearer"
    assert patch(upload, CONTENT[:10], offset=0).status == 401


@pytest.mark.parametrize("name", ["viewer", "operator", "stranger"])
def test_another_persons_upload_is_not_there(world: World, upload: Upload, name: str) -> None:
    assert patch(upload, CONTENT[:10], offset=0, Authorization=f"Bearer {world.token(name)}").status == 404
    assert received(upload) == b""


def test_a_right_that_was_lost_meanwhile_is_missed_at_the_end(world: World, upload: Upload) -> None:
    token = world.token("manager")
    world.manager.grants.all().delete()
    assert patch(upload, CONTENT, offset=0, Authorization=f"Bearer {token}").status == 403
    assert not Task.objects.filter(kind="storage.upload").exists()


def session_of(world: World, name: str) -> str:
    return world.client(name).cookies[settings.SESSION_COOKIE_NAME].value


def test_a_session_needs_its_csrf_token_and_its_own_origin(world: World, upload: Upload) -> None:
    secret = _get_new_csrf_string()
    cookies = f"{settings.SESSION_COOKIE_NAME}={session_of(world, 'manager')}; {settings.CSRF_COOKIE_NAME}={secret}"
    signed_in = {"Cookie": cookies}
    assert patch(upload, CONTENT[:10], offset=0, **signed_in).status == 403
    wrong = {"X_CSRFToken": _get_new_csrf_string()}
    assert patch(upload, CONTENT[:10], offset=0, **signed_in, **wrong).status == 403
    right = {**signed_in, "X_CSRFToken": secret}
    foreign = {"Origin": "https://evil.example"}
    assert patch(upload, CONTENT[:10], offset=0, **right, **foreign).status == 403
    assert received(upload) == b""
    own = {"Origin": "http://webvirt.example"}
    assert patch(upload, CONTENT[:10], offset=0, **right, **own).status == 204


def test_a_person_who_was_locked_out_is_out(world: World, upload: Upload) -> None:
    secret = _get_new_csrf_string()
    cookies = f"{settings.SESSION_COOKIE_NAME}={session_of(world, 'manager')}; {settings.CSRF_COOKIE_NAME}={secret}"
    get_user_model().objects.filter(pk=world.manager.pk).update(is_active=False)
    assert patch(upload, CONTENT[:10], offset=0, Cookie=cookies, X_CSRFToken=secret).status == 401


def test_an_upload_that_never_was(world: World, upload: Upload, bearer: dict[str, str]) -> None:
    assert patch(Upload(pk=uuid4()), b"", offset=0, **bearer).status == 404
    assert patch(fill(upload), b"", offset=0, path="/api/v1/uploads/not-an-id/", **bearer).status == 299
