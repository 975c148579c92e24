"""What hosts need of a worker's own life."""

from typing import Any

from celery.signals import worker_shutdown

from hosts.access import let_go


@worker_shutdown.connect
def no_connection_outlives_its_workers(**_kwargs: Any) -> None:
    """They would end a minute after their last use, with nobody left to use them."""
    let_go()
