"""Pages while one of three hosts is dark, or far away with many guests, beside the same pages while all are well."""

from collections.abc import Iterator

from bench import crowd, guests
from bench.figures import Figure, median, p95
from bench.wire import Wire
from tests.guests import define_many
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.program import Program
from tests.stack import Stack
from tests.waiting import wait_for
from virt.access import Access

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
FAR_GUESTS = 200
DELAY_MS = 50
STATES = {"well": "", "dark": "one of three hosts dark", "far": f"one with {FAR_GUESTS} guests {DELAY_MS} ms away"}


def measure(stack: Stack, *, rounds: int, times: int) -> Iterator[Figure]:
    """Yield each page's time with one host of three dark, and with it 50 ms away, beside that with all of them well."""
    crowd.add(stack, "light", GUESTS)
    admin = Wire.signed_in(stack.port, "admin", stack.password)
    with Lab() as lab:
        lab.tcp.set_auth("none")
        define_many(Access(lab.tcp.uri), "t-far", FAR_GUESTS)
        added = stack.manage("host", "add", NAME, lab.tcp.uri)
        assert added.returncode == 0, added.stderr
        program = Program.of(stack, NAME)
        number = wait_for(lambda: program.get(f"hosts/?name={NAME}")["results"])[0]["id"]
        found: dict[str, dict[str, list[float]]] = {state: {name: [] for name in PAGES} for state in STATES}
        for number_of_round in range(rounds):
            # Each state comes at each place: what a machine does from one minute to the next is no host's doing.
            first = number_of_round % len(STATES)
            for state in [*STATES, *STATES][first : first + len(STATES)]:
                turn(lab.tcp, program, number, state)
                ask(admin, found[state], times)
        turn(lab.tcp, program, number, "dark")
        yield from guests.outside(stack, rounds=rounds, while_=", one of three hosts dark")
        turn(lab.tcp, program, number, "well")
        assert program.send("DELETE", f"hosts/{number}/").status == 204
    for state, words in STATES.items():
        for name in PAGES if words else ():
            here, well = found[state][name], found["well"][name]
            yield Figure(
                f"{name}, {words}",
                "ms",
                median(here),
                "all well",
                median(well),
                ratio_at_most=MOST_RATIO,
                more={"p95": round(p95(here), 2), "p95 all well": round(p95(well), 2), "samples": rounds * times},
            )


def turn(host: Host, program: Program, number: int, state: str) -> None:
    """Bring the host into the state, and wait until the rows say so."""
    host.go_dark() if state == "dark" else host.come_back()
    wait_for(lambda: (program.get(f"hosts/{number}/")["state"] == "up") is (state != "dark"), SECONDS)
    wait_for(lambda: program.get(f"instances/?host={number}&limit=1")["count"] == FAR_GUESTS, SECONDS)
    host.slow(DELAY_MS) if state == "far" else host.fast()


def ask(person: Wire, times: dict[str, list[float]], count: int) -> None:
    """Ask for each page in turns, so that whatever else the machine does meets all of them."""
    # A connection that waited while the host was noticed may be closed by now.
    wire = person.another()
    for path in PAGES.values():
        wire.get(path)
    for _ in range(count):
        for name, path in PAGES.items():
            times[name].append(wire.get(path).seconds * 1000)
