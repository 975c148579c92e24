"""Pages while one of three hosts is dark, beside the same pages while all are up."""

from collections.abc import Iterator

from bench import crowd
from bench.figures import Figure, median, p95
from bench.wire import Wire
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.program import Program
from tests.stack import Stack
from tests.waiting import wait_for

GUESTS = 100
PAGES = {
    "overview": "/",
    "list of guests": "/instances/",
    "list of hosts": "/hosts/",
    "list of pools": "/storage/",
    "list of networks": "/networks/",
    "list of tasks": "/tasks/",
    "API, guests": "/api/v1/instances/?limit=25",
    "API, hosts": "/api/v1/hosts/",
}
# A tenth more, and what a clock on a busy machine cannot tell apart.
MOST_RATIO = 1.1
NAME = "dark"
SECONDS = 60


def measure(stack: Stack, *, rounds: int, times: int) -> Iterator[Figure]:
    """Yield a figure for each page: its time with one host of three dark beside that with all of them up."""
    crowd.add(stack, "light", GUESTS)
    admin = Wire.signed_in(stack.port, "admin", stack.password)
    with Lab() as lab:
        lab.tcp.set_auth("none")
        added = stack.manage("host", "add", NAME, lab.tcp.uri)
        assert added.returncode == 0, added.stderr
        program = Program.of(stack, NAME)
        number = wait_for(lambda: program.get(f"hosts/?name={NAME}")["results"])[0]["id"]
        up: dict[str, list[float]] = {name: [] for name in PAGES}
        dark: dict[str, list[float]] = {name: [] for name in PAGES}
        for _ in range(rounds):
            turn(lab.tcp, program, number, up=True)
            ask(admin, up, times)
            turn(lab.tcp, program, number, up=False)
            ask(admin, dark, times)
        turn(lab.tcp, program, number, up=True)
        assert program.send("DELETE", f"hosts/{number}/").status == 204
    for name in PAGES:
        yield Figure(
            f"{name}, one of three hosts dark",
            "ms",
            median(dark[name]),
            "all up",
            median(up[name]),
            ratio_at_most=MOST_RATIO,
            more={"p95": round(p95(dark[name]), 2), "p95 all up": round(p95(up[name]), 2), "samples": rounds * times},
        )


def turn(host: Host, program: Program, number: int, *, up: bool) -> None:
    """Let the host go dark or come back, and wait until the rows say so."""
    host.come_back() if up else host.go_dark()
    wait_for(lambda: (program.get(f"hosts/{number}/")["state"] == "up") is up, SECONDS)


def ask(person: Wire, times: dict[str, list[float]], count: int) -> None:
    """Ask for each page in turns, so that whatever else the machine does meets all of them."""
    # A connection that waited while the host was noticed may be closed by now.
    wire = person.another()
    for path in PAGES.values():
        wire.get(path)
    for _ in range(count):
        for name, path in PAGES.items():
            times[name].append(wire.get(path).seconds * 1000)
