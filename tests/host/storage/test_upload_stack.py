"""A file through the whole house: nginx, the raw PATCH, the worker, the pool; cut, resumed, and the worker killed."""

import base64
import hashlib
import http.client
import json
import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.stack import Stack
from tests.waiting import wait_for

MIB = 1024**2
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Tus:
    """A tus client with a token, and a knife."""

    stack: Stack
    token: str
    pool: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=120)
        given = {"Authorization": f"Bearer {self.token}", **TUS, **headers}
        connection.request(
            method, f"/api/v1/{path}", body, {name.replace("_", "-"): value for name, value in given.items()}
        )
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        content = answer.read()
        connection.close()
        return answer.status, found, content

    def get(self, path: str) -> Any:
        status, _headers, content = self.request("GET", path)
        assert status == 200, content
        return json.loads(content)

    def open(self, name: str, length: int) -> str:
        """Open an upload; its path below /api/v1/."""
        pairs = {"pool": str(self.pool), "filename": name}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        status, headers, content = self.request("POST", "uploads/", Upload_Length=str(length), Upload_Metadata=metadata)
        assert status == 201, content
        return headers["location"].split("/api/v1/")[1]

    def offset(self, path: str) -> int:
        return int(self.request("HEAD", path)[1]["upload-offset"])

    def send(self, path: str, offset: int, length: int, body: bytes | BinaryIO) -> tuple[int, dict[str, str], bytes]:
        return self.request(
            "PATCH", path, body,
            Upload_Offset=str(offset), Content_Type="application/offset+octet-stream", Content_Length=str(length),
        )  # fmt: skip

    def cut(self, path: str, offset: int, content: bytes, after: int) -> None:
        """Announce all of `content`, send `after` bytes of it, and tear the line."""
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
        connection.putrequest("PATCH", f"/api/v1/{path}")
        for name, value in {
            "Authorization": f"Bearer {self.token}", **TUS, "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream", "Content-Length": str(len(content)),
        }.items():  # fmt: skip
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(content[:after])
        connection.close()

    def task(self, number: str) -> Any:
        return self.get(f"tasks/{number}/?wait=30")


@pytest.fixture
def tus(stack: Stack, pool_name: str) -> Iterator[Tus]:
    client = Tus(stack, stack.manage("token", "admin", "t-storage").stdout.strip())

    def known() -> list[int]:
        return [pool["id"] for pool in client.get("pools/?limit=500")["results"] if pool["name"] == pool_name]

    client.pool = wait_for(known, 30)[0]
    yield client


def test_a_cut_upload_goes_on_to_the_same_bytes(tus: Tus, folder: Path) -> None:
    content = bytes(0x8001) + b"CD001" + random.Random(3).randbytes(40 * MIB)
    path = tus.open("boot.iso", len(content))
    assert tus.offset(path) == 0
    tus.cut(path, 0, content, 17 * MIB)
    wait_for(lambda: tus.offset(path) > 16 * MIB)

    def goes_on() -> dict[str, str] | None:
        # Until the server has noticed the cut, the file is still held: 423, and the offset may grow.
        offset = tus.offset(path)
        status, headers, content_ = tus.send(path, offset, len(content) - offset, content[offset:])
        assert status in (204, 409, 423), content_
        return headers if status == 204 else None

    headers = wait_for(goes_on)
    assert headers["upload-offset"] == str(len(content))
    ended = tus.task(headers["webvirt-task"])
    assert ended["state"] == "succeeded", ended
    assert hashlib.sha256((folder / "boot.iso").read_bytes()).digest() == hashlib.sha256(content).digest()
    assert ended["result"]["sha256"] == hashlib.sha256(content).hexdigest()
    volumes = tus.get(f"volumes/?pool={tus.pool}")["results"]
    assert [(volume["name"], volume["format"]) for volume in volumes] == [("boot.iso", "iso")]


def test_a_worker_killed_in_the_middle_leaves_nothing_on_the_host(tus: Tus, folder: Path, tmp_path: Path) -> None:
    length = 3 * 1024**3
    source = tmp_path / "zeros"
    with source.open("wb") as file:
        file.truncate(length)
    path = tus.open("big.img", length)
    with source.open("rb") as body:
        status, headers, content = tus.send(path, 0, length, body)
    assert status == 204, content
    number = headers["webvirt-task"]

    def worker() -> str:
        with sqlite3.connect(tus.stack.data / "webvirt.sqlite3", timeout=20) as database:
            row = database.execute(
                "SELECT worker FROM tasks_task WHERE id = ? AND state = 'running'", (number,)
            ).fetchone()
        volume = folder / "big.img"
        return str(row[0]) if row and volume.exists() and volume.stat().st_blocks else ""

    os.kill(int(wait_for(worker).split(":")[1]), signal.SIGKILL)
    ended = wait_for(lambda: (found := tus.task(number))["state"] not in ("queued", "running") and found, 90)
    assert ended["state"] == "interrupted", ended
    assert list(folder.iterdir()) == []
    # What had been received is kept, and waits for another try.
    assert tus.offset(path) == length
    assert tus.request("DELETE", path)[0] == 204
    assert list((tus.stack.data / "spool").iterdir()) == []
