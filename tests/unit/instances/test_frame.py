"""What the frame says when nobody reads the hosts."""

import redis

from tests.unit.world import World
from webvirt import alive

OLD = "What you see may be old"


def test_a_page_says_that_its_rows_may_be_old_while_no_monitor_runs(world: World, redis_server: redis.Redis) -> None:
    page = world.client("admin").get("/instances/").content.decode()
    assert OLD in page


def test_a_page_says_nothing_of_it_while_one_does(world: World, redis_server: redis.Redis) -> None:
    alive.say("monitor")
    page = world.client("admin").get("/instances/").content.decode()
    assert OLD not in page
