"""A program that speaks to the API with a token, as a script of an administrator's would."""

import base64
import http.client
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.stack import Stack
from tests.waiting import wait_for

AWAY = (ConnectionError, http.client.HTTPException, TimeoutError)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Program:
    """Requests of one token; `path` is what follows /api/v1/."""

    stack: Stack
    token: str = field(repr=False)

    @classmethod
    def of(cls, stack: Stack, name: str) -> "Program":
        made = stack.manage("token", "admin", name)
        assert made.returncode == 0, made.stderr
        return cls(stack, made.stdout.strip())

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; bytes go as they are, everything else as JSON."""
        connection = http.client.HTTPConnection(urlsplit(self.stack.url).netloc, timeout=60)
        head = {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body, head = json.dumps(body).encode(), {"Content-Type": "application/json"} | head
        try:
            connection.request(method, f"/api/v1/{path}", body, head)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json

    def insist(self, method: str, path: str, body: Any = None) -> Answer:
        """The same request again and again while the house is being repaired; its key makes that safe."""
        key = secrets.token_hex(8)
        last: list[Answer] = []

        def heard() -> bool:
            try:
                last.append(self.send(method, path, body, Idempotency_Key=key))
            except AWAY:
                return False
            return last[-1].status != 503

        wait_for(heard, 120)
        return last[-1]

    def change(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask for a change, and give back its task once it has ended."""
        answer = self.insist(method, path, body)
        assert answer.status == 202, (answer.status, answer.body)
        return self.end_of(answer.json["task"]["id"])

    def end_of(self, task_id: int) -> dict[str, Any]:
        """The task, once it has ended."""
        seen: list[dict[str, Any]] = []

        def ended() -> bool:
            try:
                answer = self.send("GET", f"tasks/{task_id}/?wait=10")
            except AWAY:
                return False
            if answer.status == 200:
                seen.append(answer.json)
            return bool(seen) and seen[-1]["state"] not in ("queued", "running")

        wait_for(ended, 180)
        return seen[-1]

    def upload(self, pool: int, image: Path, name: str) -> dict[str, Any]:
        """Bring a file into a pool; the end of its task."""
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in (
            ("pool", str(pool)), ("filename", name)
        ))  # fmt: skip
        made = self.send(
            "POST",
            "uploads/",
            Tus_Resumable="1.0.0",
            Upload_Length=str(image.stat().st_size),
            Upload_Metadata=metadata,
        )
        assert made.status == 201, (made.status, made.body)
        path = urlsplit(made.headers["location"]).path.removeprefix("/api/v1/")
        sent = self.send(
            "PATCH",
            path,
            image.read_bytes(),
            Tus_Resumable="1.0.0",
            Upload_Offset="0",
            Content_Type="application/offset+octet-stream",
        )
        assert sent.status == 204, (sent.status, sent.body)
        return self.end_of(int(sent.headers["webvirt-task"]))
