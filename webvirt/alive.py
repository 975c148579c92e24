"""Signs of life: a process that serves nobody directly says in Redis that it still goes round."""

from webvirt.redis import client

SECONDS = 15


def _key(name: str, process: str) -> str:
    return f"webvirt:alive:{name}:{process}" if process else f"webvirt:alive:{name}"


def say(name: str, process: str = "") -> None:
    """Say that `name` is alive for the next 15 seconds, and which of several it is that says so.

    Raises redis.RedisError when Redis is away.
    """
    with client().pipeline(transaction=False) as pipe:
        for who in {"", process}:
            pipe.set(_key(name, who), 1, ex=SECONDS)
        pipe.execute()


def heard(name: str, process: str = "") -> bool:
    """Whether `name`, or this one of several, said so in the last 15 seconds.

    Raises redis.RedisError when Redis is away.
    """
    return bool(client().exists(_key(name, process)))
