"""`manage.py setup`, which a system's own supervisor is preceded by."""

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent.parent.parent


def test_it_prints_the_password_and_warns_of_nothing_though_redis_is_started_after_it(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WEBVIRT_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, HOME / "manage.py", "setup"],
        env={**kept, "WEBVIRT_DATA": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("user: admin  password: ")
    assert done.stderr == ""
    assert (tmp_path / "data" / "local_host.added").exists()
