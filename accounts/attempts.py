"""How often somebody may try a password or a token: counted in Redis, for each name and for each address.

Nobody is locked out for good: an attempt is given back a while after it was spent, whatever was tried meanwhile. And
what strangers try does not hold up a person in a browser in which they signed in before: it is counted by itself.
"""

import ipaddress
import logging
import math
import secrets
import time
from functools import cache

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from accounts.models import User
from webvirt.redis import client

log = logging.getLogger(__name__)

PASSWORDS = RateLimitItemPerMinute(10, 5)  # ten in five minutes
LOGINS = RateLimitItemPerMinute(60, 10)
UNKNOWN_TOKENS = RateLimitItemPerMinute(60)

KNOWN = "webvirt_known"  # the cookie of a browser in which somebody signed in
KNOWN_SALT = "accounts.attempts"
KNOWN_SECONDS = 365 * 24 * 3600


def before_login(request: HttpRequest) -> int:
    """Spend one attempt to log in; returns the seconds until there is one again, 0 when this one is let through."""
    name = request.POST.get("username", "")[:150]
    if known := known_as(request, name):
        return spend(PASSWORDS, f"browser {known}")
    return spend(LOGINS, f"address {address_of(request)}") or spend(PASSWORDS, f"name {name}")


def after_login(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Give the attempts at this name back, and know this browser again."""
    known = known_as(request, user.username)
    give_back(PASSWORDS, f"browser {known}" if known else f"name {user.username}")
    response.set_signed_cookie(
        KNOWN,
        known or f"{user.pk}:{secrets.token_hex(8)}",
        salt=KNOWN_SALT,
        max_age=KNOWN_SECONDS,
        path=request.path,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def known_as(request: HttpRequest, name: str) -> str | None:
    """The name of this browser where the person called `name` signed in in it before."""
    known = request.get_signed_cookie(KNOWN, default=None, salt=KNOWN_SALT, max_age=KNOWN_SECONDS)
    if known and User.objects.filter(pk=known.partition(":")[0], username=name).exists():
        return known
    return None


def address_of(request: HttpRequest) -> str:
    """The client's address; of IPv6 its network of 64 bits, in which anybody has as many as they like."""
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:
        return ""
    return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))


def spend(item: RateLimitItem, name: str) -> int:
    """Spend one of the attempts; returns the seconds until there is one again, 0 when there was one."""
    try:
        return _spend(_shared(), item, name)
    except redis.RedisError:
        log.warning("Redis does not answer: attempts are counted by this process alone")
        return _spend(_own(), item, name)


def _spend(limiter: MovingWindowRateLimiter, item: RateLimitItem, name: str) -> int:
    if limiter.hit(item, name):
        return 0
    return max(1, math.ceil(limiter.get_window_stats(item, name).reset_time - time.time()))


def give_back(item: RateLimitItem, name: str) -> None:
    """Forget what was spent."""
    _own().clear(item, name)
    try:
        _shared().clear(item, name)
    except redis.RedisError:
        log.warning("Redis does not answer: attempts of before still count")


@cache
def _shared() -> MovingWindowRateLimiter:
    pool = client().connection_pool
    return MovingWindowRateLimiter(RedisStorage(settings.REDIS_URL, connection_pool=pool, key_prefix="webvirt:limits"))


@cache
def _own() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())
