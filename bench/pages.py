"""Pages and lists at 10, 300 and 1,000 guests."""

import threading
import time
from collections.abc import Iterator

from bench import crowd
from bench.figures import Figure, in_turns, median, p95
from bench.wire import Wire
from tests.stack import Stack

FEW, SOME, MANY = 10, 300, 1000
READERS = 20
PAGES = {
    "list page": "/instances/",
    "list API": "/api/v1/instances/?limit=25",
    "overview": "/",
    "list page, searched": "/instances/?q=guest-00",
    "list API, searched": "/api/v1/instances/?search=guest-00&limit=25",
}
MOST_MS = 50.0
LEAST_PAGES = 100.0


def measure(stack: Stack, *, times: int, seconds: float) -> Iterator[Figure]:
    """Yield a figure for each page at 1,000 guests, and one for 20 readers at once at 300."""
    few, some, many = (crowd.add(stack, f"crowd-{count}", count) for count in (FEW, SOME, MANY))
    for name, path in PAGES.items():
        few.get(path), many.get(path)
        large, small = in_turns(lambda p=path: ms(many, p), lambda p=path: ms(few, p), times=times)  # type: ignore[misc]
        yield Figure(
            f"{name} at {MANY:,} guests",
            "ms",
            median(large),
            f"at {FEW} guests",
            median(small),
            at_most=MOST_MS,
            more={"p95": round(p95(large), 2), "bytes": len(many.get(path).body), "samples": times},
        )
    crowded, quiet = in_turns(lambda: rate(some, seconds), lambda: rate(few, seconds), times=2)
    yield Figure(
        f"list pages to {READERS} readers at once, {SOME} guests",
        "pages/s",
        median(crowded),
        f"at {FEW} guests",
        median(quiet),
        at_least=LEAST_PAGES,
        more={"seconds": seconds},
    )


def ms(wire: Wire, path: str) -> float:
    return wire.get(path).seconds * 1000


def rate(person: Wire, seconds: float) -> float:
    """Pages a second that 20 readers get together who each ask for the next as soon as they have one."""
    counts: list[int] = []
    began = time.monotonic()

    def read() -> None:
        wire, count = person.another(), 0
        while time.monotonic() - began < seconds:
            wire.get("/instances/")
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == READERS, "a reader got no answer"
    return sum(counts) / (time.monotonic() - began)
