"""From the server's disk into a pool, beside virsh with the same file and pool."""

import base64
import http.client
import os
import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from bench.figures import Figure, in_turns, median
from tests.guests import URI
from tests.program import Program
from tests.stack import Stack
from tests.virsh import virsh
from virt import streams
from virt.access import Access
from virt.connection import open_connection

MIB = 1024**2
LEAST_RATIO = 0.9


class Sender:
    """Brings one file into a pool again and again, and removes it each time."""

    def __init__(self, program: Program, pool: dict[str, Any], image: Path) -> None:
        self.program, self.pool, self.image = program, pool, image
        self.size = image.stat().st_size

    def by_task(self) -> float:
        """MiB a second of the task that streams an upload to the host, from its start to its end."""
        name = f"ours-{secrets.token_hex(3)}.img"
        task = self.program.end_of(self.spooled(name))
        assert task["state"] == "succeeded", task
        self.removed(name)
        started, ended = (datetime.fromisoformat(task[when]) for when in ("started_at", "ended_at"))
        return self.size / MIB / (ended - started).total_seconds()

    def by_stream(self, *, hashed: bool) -> float:
        """MiB a second of the streaming alone; the making of the volume not counted.

        A file that came in one part was hashed as it came; one that was cut on its way is hashed as it goes.
        """
        name = f"leg-{secrets.token_hex(3)}.img"
        self.make(name)
        with open_connection(Access(URI)) as connection, self.image.open("rb") as source:
            began = time.perf_counter()
            streams.upload(
                connection,
                UUID(self.pool["uuid"]),
                name,
                source,
                self.size,
                progress=lambda _sent: None,
                cancelled=lambda: False,
                sha256=hashed,
            )
            took = time.perf_counter() - began
        self.removed(name)
        return self.size / MIB / took

    def by_virsh(self) -> float:
        """MiB a second of `virsh vol-upload`, the making of the volume not counted."""
        name = f"theirs-{secrets.token_hex(3)}.img"
        self.make(name)
        began = time.perf_counter()
        virsh("vol-upload", name, str(self.image), "--pool", self.pool["name"])
        took = time.perf_counter() - began
        self.removed(name)
        return self.size / MIB / took

    def make(self, name: str) -> None:
        virsh("vol-create-as", self.pool["name"], name, str(self.size), "--allocation", "0", "--format", "raw")

    def removed(self, name: str) -> None:
        virsh("vol-delete", name, "--pool", self.pool["name"])
        os.sync()

    def spooled(self, name: str) -> int:
        """Upload the file; the number of the task that brings it to the host."""
        words = {"pool": str(self.pool["id"]), "filename": name}
        made = self.program.send(
            "POST",
            "uploads/",
            Tus_Resumable="1.0.0",
            Upload_Length=str(self.size),
            Upload_Metadata=",".join(
                f"{key} {base64.b64encode(word.encode()).decode()}" for key, word in words.items()
            ),
        )
        assert made.status == http.client.CREATED, made.body
        connection = http.client.HTTPConnection(urlsplit(self.program.stack.url).netloc, timeout=600, blocksize=MIB)
        with self.image.open("rb") as file:
            connection.request(
                "PATCH",
                urlsplit(made.headers["location"]).path,
                file,
                {
                    "Authorization": f"Bearer {self.program.token}",
                    "Content-Length": str(self.size),
                    "Content-Type": "application/offset+octet-stream",
                    "Tus-Resumable": "1.0.0",
                    "Upload-Offset": "0",
                },
            )
            answer = connection.getresponse()
            assert answer.status == http.client.NO_CONTENT, answer.read()
        connection.close()
        return int(answer.headers["Webvirt-Task"])


def measure(stack: Stack, pool: dict[str, Any], *, size: int, times: int) -> Iterator[Figure]:
    """Yield how fast a file of `size` bytes goes to the host."""
    image = stack.data / "image"
    block = os.urandom(MIB)
    with image.open("wb") as file:
        for _ in range(size // MIB):
            file.write(block)
    sender = Sender(Program.of(stack, "bench"), pool, image)
    task, leg, hashed, theirs = in_turns(
        sender.by_task,
        lambda: sender.by_stream(hashed=False),
        lambda: sender.by_stream(hashed=True),
        sender.by_virsh,
        times=times,
    )
    image.unlink()
    for name, ours, least in (
        ("streaming", leg, LEAST_RATIO),
        ("streaming and hashing", hashed, None),
        ("the whole task of", task, None),
    ):
        yield Figure(
            f"{name} {size // MIB:,} MiB from the server to its host",
            "MiB/s",
            median(ours),
            "virsh vol-upload",
            median(theirs),
            ratio_at_least=least,
            more={"all": [round(one) for one in ours], "virsh": [round(one) for one in theirs]},
        )
