"""Signs of life: a process that serves nobody directly says in Redis that it still goes round."""

from webvirt.redis import client

SECONDS = 15


def _key(name: str) -> str:
    return f"webvirt:alive:{name}"


def say(name: str) -> None:
    """Say that `name` is alive for the next 15 seconds. Raises redis.RedisError when Redis is away."""
    client().set(_key(name), 1, ex=SECONDS)


def heard(name: str) -> bool:
    """Whether `name` said so in the last 15 seconds. Raises redis.RedisError when Redis is away."""
    return bool(client().exists(_key(name)))
