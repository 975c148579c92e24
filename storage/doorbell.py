"""What beat rings for."""

from celery import shared_task

from storage.clean import clean
from webvirt.celery import app

CLEAN_SECONDS = 300.0

app.conf.beat_schedule = {
    **(app.conf.beat_schedule or {}),
    "storage.clean": {
        "task": "storage.clean",
        "schedule": CLEAN_SECONDS,
        "options": {"queue": "quick", "expires": CLEAN_SECONDS},
    },
}


@shared_task(name="storage.clean", time_limit=120)
def clean_task() -> None:
    clean()
