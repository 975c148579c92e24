"""A worker of test_rush.py: does every task it hears of, as fast as it can, on a real database."""

import os
import sys

import django

django.setup()

from tasks import runner  # noqa: E402 - Django comes first
from tasks.context import Context  # noqa: E402
from tasks.models import Task  # noqa: E402
from tasks.registry import job  # noqa: E402
from webvirt.redis import client  # noqa: E402


@job("tests.rush")
def work(context: Context) -> None:
    lock = context.task.lock_key
    if client().incr(f"in:{lock}") > 1:
        client().rpush("overlaps", lock)
    client().rpush("done", context.task.pk)
    client().rpush(f"order:{lock}", context.task.pk)
    client().decr(f"in:{lock}")


def main() -> None:
    while waiting := list(Task.objects.filter(state=Task.State.QUEUED).order_by("?").values_list("pk", flat=True)):
        for pk in waiting:
            runner.run(pk)
    print(os.getpid(), "has nothing left to do")  # noqa: T201 - read by the test when it fails


if __name__ == "__main__":
    sys.exit(main())
