"""The main job on other machines, by every transport: an ISO there and back, a guest, its picture, its console."""

import hashlib
import secrets
import struct
import zlib
from urllib.parse import urlsplit

import pytest
import websockets.sync.client

from tests.far import added, pool_of, shell
from tests.isos import IPXE, sha256_of
from tests.lab.host import Host
from tests.program import Program
from tests.screen import Screen
from tests.stack import Stack
from tests.waiting import wait_for

FOLDER = "/var/lib/libvirt/images"
# QEMU itself writes a line where a guest has drawn nothing yet.
MESSAGE_ROWS = 60
PNG = b"\x89PNG\r\n\x1a\n"


def lit_rows(png: bytes) -> int:
    """How many rows of a picture of red, green and blue are not black; a black one is zeros after its filter."""
    assert png.startswith(PNG)
    (width,) = struct.unpack_from(">I", png, len(PNG) + 8)
    packed, at = b"", len(PNG)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    rows, step = zlib.decompress(packed), 1 + 3 * width
    assert len(rows) % step == 0
    return sum(any(rows[begin + 1 : begin + step]) for begin in range(0, len(rows), step))


def shows_something(program: Program, guest: int) -> bool:
    answer = program.send("GET", f"instances/{guest}/screenshot")
    return answer.status == 200 and lit_rows(answer.body) > MESSAGE_ROWS


def memory_of(stack: Stack, guest: int) -> float:
    """The bytes of memory that it takes, as the monitor last read it; 0 while that is not known."""
    read = f"latest('instance', [{guest}]).get({guest}, {{}}).get('memory_used_bytes')"
    code = f"from hosts.figures import latest; print({read} or 0)"
    return float(shell(stack, code))


def console(stack: Stack, program: Program, guest: int) -> bool:
    """Whether the console gives a whole frame."""
    opened = program.send("POST", f"instances/{guest}/console", {"type": "vnc"})
    assert opened.status == 200, opened.body
    where = urlsplit(opened.json["websocket"])
    address = f"ws://127.0.0.1:{stack.port}{where.path}?{where.query}"
    with websockets.sync.client.connect(address, proxy=None, compression=None, open_timeout=10) as connection:
        screen = Screen(connection)
        width, height = screen.begin()
        return screen.frame() == width * height * screen.pixel_bytes


@pytest.mark.parametrize("which", ["ssh_host", "tcp_host", "tls_host"])
def test_the_main_job_is_done_on_another_machine(stack: Stack, which: str, request: pytest.FixtureRequest) -> None:
    machine: Host = request.getfixturevalue(which)
    run = secrets.token_hex(3)
    guest_name, image_name = f"t-far-{run}", f"t-far-{run}.iso"
    program = Program.of(stack, f"far {run}")
    with added(stack, machine) as host:
        pool = pool_of(stack, host, FOLDER)

        # There and back.
        uploaded = program.upload(pool["id"], IPXE, image_name)
        assert uploaded["state"] == "succeeded", uploaded
        assert machine.run("sha256sum", f"{FOLDER}/{image_name}").split()[0] == sha256_of(IPXE)
        (image,) = program.get(f"volumes/?pool={pool['id']}&search={image_name}")["results"]
        fetched = program.change("POST", f"volumes/{image['id']}/download")
        assert fetched["state"] == "succeeded", fetched
        content = program.send("GET", urlsplit(fetched["result"]["url"]).path.removeprefix("/api/v1/"))
        assert hashlib.sha256(content.body).hexdigest() == sha256_of(IPXE)

        # A copy on the host itself.
        copied = program.change("POST", f"volumes/{image['id']}/clone", {"pool": pool["id"], "name": f"copy-{run}.iso"})
        assert copied["state"] == "succeeded", copied
        assert machine.run("sha256sum", f"{FOLDER}/copy-{run}.iso").split()[0] == sha256_of(IPXE)

        # A guest of it, and what it shows.
        wish = {
            "name": guest_name,
            "host": host["id"],
            "cdrom": {"volume": image["id"]},
            "disks": [{"pool": pool["id"], "size_bytes": 1 << 30}],
            "networks": [],
            "start": True,
        }
        created = program.change("POST", "instances/", wish)
        assert created["state"] == "succeeded", created
        assert machine.virsh("domstate", guest_name) == "running"
        assert machine.run("ls", f"{FOLDER}/{guest_name}.qcow2").strip()
        (guest,) = program.get(f"instances/?search={guest_name}")["results"]
        wait_for(lambda: shows_something(program, guest["id"]), 40)
        wait_for(lambda: console(stack, program, guest["id"]), 30)
        wait_for(lambda: memory_of(stack, guest["id"]) > 8 << 20, 30)

        # The end of it.
        deleted = program.change("DELETE", f"instances/{guest['id']}/?volumes=delete")
        assert deleted["state"] == "succeeded", deleted
        assert "failed to get domain" in machine.virsh("domstate", guest_name)
        assert machine.run("ls", FOLDER).split() == [f"copy-{run}.iso", image_name]
