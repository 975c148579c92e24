"""The Celery application: two queues, `quick` for what a person waits for and `long` for what streams."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webvirt.settings")

app = Celery("webvirt")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="doorbell")
app.autodiscover_tasks(related_name="jobs")
