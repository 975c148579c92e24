"""Several workers at once on a real database: nothing is done twice, and no two changes of one object overlap."""

import os
import subprocess
import sys
from pathlib import Path

import redis
from django.conf import settings

HOME = Path(__file__).resolve().parents[3]
WORKERS = 4
LOCKS = ("a", "b", "c")
EACH = 8

PREPARE = f"""
import django; django.setup()
from django.core.management import call_command
from tasks.models import Task
call_command("migrate", verbosity=0)
for number in range({EACH}):
    for lock in {LOCKS!r}:
        Task.objects.create(kind="tests.rush", queue="quick", limit=60, actor_name="x", object_type="host",
                            object_name="x", lock_key=lock)
"""
REST = """
import django; django.setup()
from tasks.models import Task
print(Task.objects.exclude(state="succeeded").count())
"""


def run(tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "webvirt.settings",
        "WEBVIRT_DATA": str(tmp_path),
        "WEBVIRT_REDIS_URL": settings.REDIS_URL,
        "WEBVIRT_LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(HOME),
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        cwd=HOME,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_four_workers_do_each_task_once_and_in_its_turn(tmp_path: Path, redis_server: redis.Redis) -> None:
    said, _none = run(tmp_path, "-c", PREPARE).communicate(timeout=60)
    workers = [run(tmp_path, "-m", "tests.unit.tasks.rush") for _ in range(WORKERS)]
    words = said + "".join(worker.communicate(timeout=60)[0] for worker in workers)
    assert [worker.returncode for worker in workers] == [0] * WORKERS, words
    done = redis_server.lrange("done", 0, -1)
    assert len(done) == len(set(done)) == EACH * len(LOCKS), words
    assert redis_server.lrange("overlaps", 0, -1) == []
    for lock in LOCKS:
        order = [int(pk) for pk in redis_server.lrange(f"order:{lock}", 0, -1)]
        assert order == sorted(order), "the oldest first"
    assert run(tmp_path, "-c", REST).communicate(timeout=60)[0].strip() == "0"
