"""The process groups of Webvirt's programs: who they are, and how what is left of one is ended.

A program whose master was killed leaves children that hold its socket or live on for good. Every program is
therefore the leader of a group of its own, and its number is kept in RUN/NAME.pgid, so that the next start can
end the rest of the last one.
"""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("redis", "web", "worker-quick", "worker-long", "beat", "monitor", "console", "nginx")

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A line of /proc/PID/stat: `started` counts clock ticks since the machine booted."""

    pid: int
    group: int
    state: str
    started: int

    @classmethod
    def look(cls, pid: int) -> "Process | None":
        """The process with this number, or None when there is none."""
        try:
            text = (PROC / str(pid) / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = text.rpartition(")")[2].split()
        return cls(pid=pid, state=fields[0], group=int(fields[2]), started=int(fields[19]))

    @property
    def ended(self) -> bool:
        """Whether it is dead and only waits for its parent to read its status."""
        return self.state in "ZX"


def _machine() -> str:
    """Where process numbers mean the same: this boot and this PID namespace."""
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{(PROC / 'self/ns/pid').readlink()}"


def signature(process: Process) -> str:
    """A name for a process of this machine that no other has, here or elsewhere."""
    return f"{_machine()}|{process.pid}|{process.started}"


def is_dead(signed: str) -> bool:
    """Whether this is the signature of a process of this machine that is no more."""
    machine, _, rest = signed.partition("|")
    if machine != _machine():
        return False
    pid, _, started = rest.partition("|")
    found = Process.look(int(pid))
    return found is None or found.ended or found.started != int(started)


def _record(run: Path, name: str) -> Path:
    return run / f"{name}.pgid"


def record_group(run: Path, name: str) -> None:
    """Make this process the leader of a group of its own and keep its number in RUN/NAME.pgid."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    me = Process.look(os.getpid())
    assert me is not None  # noqa: S101 - a process always finds itself
    draft = run / f".{name}.pgid"
    draft.write_text(f"{me.group} {me.started}\n")
    draft.replace(_record(run, name))


def recorded_group(run: Path, name: str) -> tuple[int, int] | None:
    """The group number and its leader's start time as last kept, or None when the program never started."""
    try:
        group, started = _record(run, name).read_text().split()
    except FileNotFoundError:
        return None
    return int(group), int(started)


def is_alive(run: Path, name: str) -> bool:
    """Whether the program's master runs."""
    recorded = recorded_group(run, name)
    if recorded is None:
        return False
    leader = Process.look(recorded[0])
    return leader is not None and not leader.ended and leader.started == recorded[1]


def _belongs(pid: int, data: Path) -> bool:
    """Whether a process is of this DATA, by its environment or, where it wrote over that, its folder."""
    try:
        if f"WEBVIRT_DATA={data}".encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
            return True
        return (PROC / str(pid) / "cwd").readlink().is_relative_to(data)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # gone meanwhile, or another user's and so not ours


def _members(data: Path, group: int, started: int) -> Iterator[Process]:
    for entry in PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        found = Process.look(int(entry.name))
        if found is None or found.ended or found.group != group or found.started < started:
            continue
        if _belongs(found.pid, data):
            yield found


def end_group(data: Path, run: Path, name: str, *, deadline: float = 5.0) -> None:
    """Kill what is left of the program's last group.

    Numbers are used again by the kernel, so only processes that started after the recorded leader and belong to
    this DATA are touched. Raises TimeoutError when one is still there after `deadline` seconds.
    """
    recorded = recorded_group(run, name)
    if recorded is None:
        return
    until = time.monotonic() + deadline
    while left := list(_members(data, *recorded)):
        if time.monotonic() > until:
            raise TimeoutError(f"{name}: process {left[0].pid} of the last start does not end")
        for process in left:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended by itself meanwhile
        time.sleep(0.01)
