"""The main job by the API alone, with an ISO that no other test has seen, and default choices only."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.isos import make_installer
from tests.program import Program
from tests.stack import Stack
from tests.virsh import virsh, volumes
from tests.waiting import wait_for

RUN = secrets.token_hex(3)
GUEST = f"t-api-{RUN}"
IMAGE = f"t-api-{RUN}.iso"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    virsh("destroy", GUEST)
    virsh("undefine", GUEST)
    for name in (IMAGE, f"{GUEST}.qcow2"):
        virsh("vol-delete", name, "--pool", "default")


def test_a_script_brings_an_iso_creates_runs_and_deletes_a_guest(stack: Stack, tmp_path: Path) -> None:
    program = Program.of(stack, "main job")
    host = program.get("hosts/")["results"][0]
    assert host["state"] == "up"
    pool = next(pool for pool in program.get("pools/")["results"] if pool["name"] == "default")

    uploaded = program.upload(pool["id"], make_installer(tmp_path, title=f"Install {RUN}"), IMAGE)
    assert uploaded["state"] == "succeeded", uploaded
    image = next(v for v in program.get(f"volumes/?pool={pool['id']}&search={IMAGE}")["results"] if v["name"] == IMAGE)

    wish = {"name": GUEST, "host": host["id"], "cdrom": {"volume": image["id"]}}
    created = program.change("POST", "instances/", wish)
    assert created["state"] == "succeeded", created
    assert virsh("domstate", GUEST) == "shut off"
    (guest,) = program.get(f"instances/?search={GUEST}")["results"]
    assert guest["state"] == "shutoff"
    assert guest["uuid"] == virsh("domuuid", GUEST)

    def act(action: str) -> None:
        ended = program.change("POST", f"instances/{guest['id']}/{action}")
        assert ended["state"] == "succeeded", ended

    act("start")
    assert virsh("domstate", GUEST) == "running"
    wait_for(lambda: program.send("GET", f"instances/{guest['id']}/screenshot").body.startswith(PNG), 30)
    act("suspend")
    assert virsh("domstate", GUEST) == "paused"
    act("resume")
    act("destroy")
    assert virsh("domstate", GUEST) == "shut off"

    deleted = program.change("DELETE", f"instances/{guest['id']}/?volumes=delete")
    assert deleted["state"] == "succeeded", deleted
    assert "failed to get domain" in virsh("domstate", GUEST)
    assert volumes(f"t-api-{RUN}") == {IMAGE}
    assert program.send("GET", f"instances/{guest['id']}/").status == 404
