"""Bytes a second through a console, beside plain websockify with the same source."""

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from bench.figures import Figure, in_turns, median
from bench.sshd import sshd
from tests.guests import ipxe_guest
from tests.program import Program
from tests.stack import HOME, Stack, free_port
from tests.virsh import virsh
from tests.waiting import wait_for

MIB = 1024**2
LEAST_RATIO = 0.9
LEAST_RATIO_BY_SSH = 0.8


@contextmanager
def running(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=HOME, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def flooded(stack: Stack, port: int, *sshd: str) -> Iterator[None]:
    """Behind the stack's nginx, the console's service with the flood in place of a display."""
    usual = stack.data / "run" / "console.sock"
    kept = usual.with_suffix(".kept")
    usual.rename(kept)
    try:
        with running(sys.executable, "-m", "bench.flood", str(port), str(usual), *sshd, environment=stack.environment):
            wait_for(lambda: listens(usual))
            yield
    finally:
        kept.replace(usual)


def listens(at: Path | int) -> bool:
    with socket.socket(socket.AF_UNIX if isinstance(at, Path) else socket.AF_INET) as client:
        return client.connect_ex(str(at) if isinstance(at, Path) else ("127.0.0.1", at)) == 0


def rate(port: int, path: str, seconds: float) -> float:
    """MiB a second that a WebSocket gives, whatever they say."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
    )
    buffer = bytearray(MIB)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(head.encode())
        answer = client.recv(4096)
        assert f" {HTTPStatus.SWITCHING_PROTOCOLS.value} ".encode() in answer, answer
        count, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            count += client.recv_into(buffer)
    return count / MIB / took


@contextmanager
def guest_of(stack: Stack) -> Iterator[Callable[[float], float]]:
    """A running guest: what its console carries in so many seconds, in MiB a second."""
    program = Program.of(stack, "bench")
    with ipxe_guest("t-bench") as (uuid, name):
        virsh("start", name)
        guest = wait_for(lambda: shown(program, uuid), 30)

        def ours(seconds: float) -> float:
            opened = program.send("POST", f"instances/{guest}/console", {"type": "vnc"})
            assert opened.status == HTTPStatus.OK, opened.body
            where = urlsplit(opened.json["websocket"])
            return rate(stack.port, f"{where.path}?{where.query}", seconds)

        yield ours


def measure(stack: Stack, *, seconds: float, times: int) -> Iterator[Figure]:
    """Yield how many bytes a second a console carries."""
    source, plain = free_port(), free_port()
    websockify = str(Path(sys.executable).with_name("websockify"))
    with (
        guest_of(stack) as ours,
        running(sys.executable, "-m", "bench.flood", str(source)),
        running(websockify, f"127.0.0.1:{plain}", f"127.0.0.1:{source}"),
        flooded(stack, source),
    ):
        wait_for(lambda: listens(plain))
        through, beside = in_turns(lambda: ours(seconds), lambda: rate(plain, "/", seconds), times=times)
    yield Figure(
        "a console, through nginx and the console's service",
        "MiB/s",
        median(through),
        "plain websockify",
        median(beside),
        ratio_at_least=LEAST_RATIO,
        more={"seconds": seconds, "ours": [round(one) for one in through], "plain": [round(one) for one in beside]},
    )


def by_ssh(stack: Stack, *, seconds: float, times: int) -> Iterator[Figure]:
    """Yield the same for a guest on a host that is reached by ssh, beside a plain ssh -L and websockify."""
    source, tunnel, plain, bare = (free_port() for _ in range(4))
    websockify = str(Path(sys.executable).with_name("websockify"))
    key = stack.manage("shell", "-v0", "-c", "from hosts.keys import own_public_key; print(own_public_key())")
    with (
        guest_of(stack) as ours,
        sshd(key.stdout.strip()) as far,
        running(sys.executable, "-m", "bench.flood", str(source)),
        running(*far.tunnel(tunnel, source)),
        running(websockify, f"127.0.0.1:{plain}", f"127.0.0.1:{tunnel}"),
        running(websockify, f"127.0.0.1:{bare}", f"127.0.0.1:{source}"),
        flooded(stack, source, str(far.port), far.host_key),
    ):
        wait_for(lambda: all(listens(port) for port in (tunnel, plain, bare)))
        through, beside, without = in_turns(
            lambda: ours(seconds),
            lambda: rate(plain, "/", seconds),
            lambda: rate(bare, "/", seconds),
            times=times,
        )
    yield Figure(
        "a console by ssh, through nginx and the console's service",
        "MiB/s",
        median(through),
        "plain websockify through ssh -L",
        median(beside),
        ratio_at_least=LEAST_RATIO_BY_SSH,
        more={
            "seconds": seconds,
            "ours": [round(one) for one in through],
            "plain": [round(one) for one in beside],
            "plain without ssh": [round(one) for one in without],
        },
    )


def shown(program: Program, uuid: UUID) -> int:
    """The number of the guest once it is known to run; else 0."""
    found = program.get(f"instances/?uuid={uuid}")["results"]
    return int(found[0]["id"]) if found and found[0]["state"] == "running" else 0
