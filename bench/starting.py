"""How long script/server takes, and how much memory its processes hold."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, median
from tests.stack import HOME, Stack
from webvirt.processes import PROC, PROGRAMS, recorded_group

MIB = 1024**2


def start(stack: Stack, *, times: int) -> Figure:
    """Start the stack on an empty DATA; the figure, beside a bare start of Django."""
    began = time.perf_counter()
    stack.start()
    took = time.perf_counter() - began
    bare = []
    for _ in range(times):
        began = time.perf_counter()
        stack.manage("check")
        bare.append(time.perf_counter() - began)
    return Figure("first start of script/server", "s", took, "manage.py check", median(bare))


def memory(stack: Stack) -> Iterator[Figure]:
    """Yield the memory of each program with all its children (PSS: what is shared counts in parts)."""
    command = [sys.executable, str(HOME / "manage.py"), "shell", "-v0", "-c"]
    waits = "import sys; print(flush=True); sys.stdin.read()"
    bare = subprocess.Popen(
        [*command, waits], env=stack.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert bare.stdout
    bare.stdout.readline()
    reference = pss(bare.pid)
    bare.communicate("")
    for name, processes in programs(stack.data / "run").items():
        yield Figure(
            f"memory of {name}",
            "MiB",
            sum(pss(pid) for pid in processes) / MIB,
            "one Django, idle",
            reference / MIB,
            more={"processes": len(processes)},
        )


def programs(run: Path) -> dict[str, list[int]]:
    """The processes of each program."""
    groups = {group[0]: name for name in PROGRAMS if (group := recorded_group(run, name))}
    found: dict[str, list[int]] = {name: [] for name in groups.values()}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (name := groups.get(group_of(entry))):
            found[name].append(int(entry.name))
    return found


def group_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def pss(pid: int) -> int:
    """The proportional set size in bytes; 0 for a process that has ended."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
