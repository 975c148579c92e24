"""What Celery carries: doorbells for rows, questions, and the sweep."""

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init

from tasks import asking, runner, sweep
from virt.loop import start_event_loop
from webvirt.celery import app

log = logging.getLogger(__name__)

app.conf.beat_schedule = {
    **(app.conf.beat_schedule or {}),
    "tasks.sweep": {"task": "tasks.sweep", "schedule": 10.0, "options": {"queue": "quick", "expires": 10}},
}


@worker_process_init.connect
def ready(**kwargs: Any) -> None:
    """libvirt's event loop has to run before the first connection, and after the fork."""
    start_event_loop()


@shared_task(name="tasks.run")
def run_task(task_id: int) -> None:
    runner.run(task_id)


@shared_task(name="tasks.answer", time_limit=30)
def answer(key: str, host_id: int, name: str, arguments: dict[str, Any]) -> None:
    asking.answer(key, host_id, name, arguments)


@shared_task(name="tasks.sweep", time_limit=120)
def sweep_task() -> None:
    sweep.ring_for_waiting()
    sweep.end_abandoned()
    sweep.undo_again()
