"""Celery beat that shows it is alive."""

import logging
from typing import Any

import redis
from celery.beat import PersistentScheduler

from webvirt import alive

logger = logging.getLogger(__name__)


class Scheduler(PersistentScheduler):
    """Says at every round that the schedules are being looked at."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        try:
            alive.say("beat")
        except redis.RedisError as error:
            logger.warning("Redis does not answer: %s", error)
        return float(super().tick(*args, **kwargs))
