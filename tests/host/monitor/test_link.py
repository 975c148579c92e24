"""A connection that is cut: what runs ends at once, and nothing is left of it."""

import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from monitor.link import CLOSE_SECONDS, Link
from tests.host.monitor.conftest import URI
from tests.waiting import wait_for
from virt import domains
from virt.access import Access
from virt.connection import Connection
from virt.errors import TimedOut, Unreachable


def open_link() -> Link:
    return Link(Access(URI), note=lambda event: None, closed=lambda: None)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_connection_that_was_cut_says_that_the_host_did_not_answer() -> None:
    link = open_link()
    try:
        link.cut()
        assert not link.is_alive
        with pytest.raises(TimedOut):
            link.call(domains.list_all)
    finally:
        link.close()


def test_connections_that_break_leave_no_descriptor_and_no_thread() -> None:
    open_link().close()
    before = descriptors()
    threads = threading.active_count()
    for _ in range(5):
        link = open_link()
        link.aside("list", domains.list_all, lambda answer: None)
        link.cut()
        link.close()
    wait_for(lambda: descriptors() <= before and threading.active_count() <= threads)


def test_cutting_one_connection_leaves_the_others() -> None:
    one, other = open_link(), open_link()
    try:
        one.cut()
        other.call(domains.list_all)
        assert other.is_alive
    finally:
        one.close()
        other.close()


def test_closing_waits_for_a_call_that_still_uses_the_connection() -> None:
    link = open_link()
    going = threading.Event()
    answers: list[Future[None]] = []

    def ask_for_long(conn: Connection) -> None:
        until = time.monotonic() + CLOSE_SECONDS * 2
        while time.monotonic() < until:
            domains.list_all(conn)
            going.set()

    link.aside("list", ask_for_long, answers.append)
    assert going.wait(5)
    link.close()
    assert isinstance(answers[0].exception(), Unreachable)
