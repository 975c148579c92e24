"""What a hundred hosts with a hundred guests each cost the monitor, once all of them are read."""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

from bench.crowd import shell
from bench.figures import Figure
from bench.starting import MIB, pss
from tests.fleet import write_node
from tests.stack import HOME, Stack
from tests.waiting import wait_for
from webvirt.processes import PROC, recorded_group

TICKS = 100  # of a second, in /proc/PID/stat
FIRST_SECONDS = 600.0
MOST_CORES = 1.0
MOST_MIB = 500.0
# The monitor's own connections to a host, of each of which the test driver makes a host of its own.
CONNECTIONS = 3
ADD = """
from accounts.models import User
from hosts.services import add_host
admin = User.objects.get(username="admin")
for number in range({hosts}):
    add_host(name=f"fleet-{{number:03}}", uri=f"test://{folder}/{{number}}.xml", actor=admin)
"""
READ = """
from hosts.models import HostStatus
print(HostStatus.objects.filter(host__name__startswith="fleet-", state="up", synced_at__isnull=False).count())
"""
REMOVE = "from hosts.models import Host; Host.objects.filter(name__startswith='fleet-').delete()"
# The hosts are in the monitor's own memory: what they take there is measured where nobody reads them.
SIMULATED = """
import sys, libvirt
kept = [libvirt.open(f"test://{folder}/{{number}}.xml") for number in range({hosts}) for _ in range({connections})]
print(flush=True)
sys.stdin.read()
"""


def measure(stack: Stack, *, hosts: int, guests: int, seconds: float) -> Iterator[Figure]:
    """Yield the monitor's share of a core, and its memory beside that of the hosts which libvirt simulates in it."""
    folder = stack.data / "fleet"
    folder.mkdir()
    for number in range(hosts):
        write_node(folder / f"{number}.xml", {uuid.uuid4(): f"guest-{number}-{n}" for n in range(guests)})
    simulated = grown_by(SIMULATED.format(folder=folder, hosts=hosts, connections=CONNECTIONS)) / MIB
    group = recorded_group(stack.data / "run", "monitor")
    assert group
    monitor = group[0]
    before = busy(monitor, seconds)
    began = time.monotonic()
    shell(stack, ADD.format(folder=folder, hosts=hosts))
    wait_for(lambda: shell(stack, READ) == str(hosts), FIRST_SECONDS)
    first = time.monotonic() - began
    whole = f"{hosts} hosts × {guests} guests"
    try:
        yield Figure(
            f"monitor's CPU, {whole}",
            "cores",
            busy(monitor, seconds),
            "this host alone",
            before,
            at_most=MOST_CORES,
            more={"seconds": seconds, "first sync, s": round(first, 1), "threads": threads(monitor)},
        )
        yield Figure(
            f"monitor's memory, {whole}",
            "MiB",
            pss(monitor) / MIB - simulated,
            "the simulated hosts in it, left out",
            simulated,
            at_most=MOST_MIB,
        )
    finally:
        shell(stack, REMOVE)


def busy(pid: int, seconds: float) -> float:
    """How many cores a process keeps busy on average."""
    began, before = time.monotonic(), worked(pid)
    time.sleep(seconds)
    return (worked(pid) - before) / (time.monotonic() - began)


def worked(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def threads(pid: int) -> int:
    return len(list((PROC / str(pid) / "task").iterdir()))


def grown_by(code: str) -> int:
    """Bytes by which `code` makes a bare Python larger."""

    def size(script: str) -> int:
        command = [sys.executable, "-c", script]
        with subprocess.Popen(command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            found = pss(process.pid)
            process.communicate(b"")
        return found

    return size(code) - size("import sys, libvirt; print(flush=True); sys.stdin.read()")
