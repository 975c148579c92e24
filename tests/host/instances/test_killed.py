"""A worker killed in a create leaves no orphan: whoever finds its task removes what it had half made."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import redis

from tests.host.instances.conftest import ISO, virsh

HERE = Path(__file__).parent


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO")},
        "DJANGO_SETTINGS_MODULE": "webvirt.settings",
        "WEBVIRT_DATA": str(data),
        "WEBVIRT_REDIS_URL": f"unix://{data}/redis.sock?db=0",
        "PYTHONPATH": str(HERE.parent.parent.parent),
    }
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120)


def test_a_worker_killed_in_a_create_leaves_no_orphan(
    redis_server: redis.Redis, tmp_path: Path, folder: Path, name: str
) -> None:
    socket = redis_server.connection_pool.connection_kwargs["path"]
    (tmp_path / "redis.sock").symlink_to(socket)
    manage = str(HERE.parent.parent.parent / "manage.py")
    assert run(tmp_path, manage, "migrate", "-v0").returncode == 0

    killed = run(tmp_path, str(HERE / "killed.py"), "create", name, virsh("pool-uuid", name).strip())
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert name in virsh("list", "--all", "--name").split()
    assert {f"{name}.qcow2", f"{name}-2.qcow2"} <= {path.name for path in folder.iterdir()}

    swept = run(tmp_path, str(HERE / "killed.py"), "sweep")
    assert swept.stdout.split("\n")[:2] == ["running 3", "interrupted 0"], swept.stderr
    assert name not in virsh("list", "--all", "--name").split()
    assert [path.name for path in folder.iterdir()] == [ISO]
