"""The one Redis that every process shares: broker, live stream, leases, console tokens, figures."""

from functools import cache

import redis
import redis.asyncio
from django.conf import settings


@cache
def client() -> redis.Redis:
    """This process's client; its pool is safe for threads. Values come back as str."""
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, health_check_interval=30)


def async_client() -> redis.asyncio.Redis:
    """A new asyncio client, for the event loop that asks for it."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, decode_responses=True)
