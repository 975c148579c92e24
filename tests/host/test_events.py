"""A program hears of a guest made by other means, through nginx, as it happens."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from tests.guests import ipxe_guest
from tests.program import Program
from tests.stack import Stack


def test_a_program_hears_what_happens_on_the_host(stack: Stack) -> None:
    program = Program.of(stack, "events")
    connection = HTTPConnection(urlsplit(stack.url).netloc, timeout=30)
    connection.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {program.token}"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/event-stream")
    told = changes(answer)
    assert next(told) == []
    with ipxe_guest("t-events") as (_uuid, name):
        added = next(one for some in told for one in some if (one["type"], one["change"]) == ("instance", "added"))
        assert program.get(f"instances/{added['id']}/")["name"] == name
    assert {**added, "change": "removed"} in next(some for some in told if "removed" in str(some))
    connection.close()


def changes(answer: HTTPResponse) -> Iterator[list[dict[str, str]]]:
    """The changes of each event that has some, and of the first."""
    while line := answer.readline():
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))["changes"]
