"""What is left of a killed program is ended by its next start; nothing else is touched."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_for
from webvirt.processes import Process, end_group, is_alive

# A master that records its group and leaves a child which ignores every polite signal.
MASTER = """
import os, signal, sys, time
from pathlib import Path
from webvirt.processes import record_group
record_group(Path(sys.argv[1]), "web")
if os.fork() == 0:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
os.write(1, f"{os.getpid()}\\n".encode())
time.sleep(600)
"""


class Program:
    def __init__(self, data: Path) -> None:
        environment = {**os.environ, "WEBVIRT_DATA": str(data)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", MASTER, str(data)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        pids = {int(self.process.stdout.readline()), int(self.process.stdout.readline())}
        (self.child,) = pids - {self.process.pid}

    def kill_master(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def child_lives(self) -> bool:
        found = Process.look(self.child)
        return found is not None and not found.ended


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    started = Program(tmp_path)
    yield started
    started.kill_master()
    if started.child_lives:
        os.kill(started.child, signal.SIGKILL)


def test_it_ends_the_children_of_a_killed_master(program: Program, tmp_path: Path) -> None:
    program.kill_master()
    assert program.child_lives
    end_group(tmp_path, tmp_path, "web")
    assert not program.child_lives


def test_it_ends_a_master_that_lives_on(program: Program, tmp_path: Path) -> None:
    end_group(tmp_path, tmp_path, "web")
    wait_for(lambda: program.process.poll() is not None)
    assert not program.child_lives


def test_it_spares_a_group_of_another_folder_that_got_the_same_number(program: Program, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "web.pgid").write_text((tmp_path / "web.pgid").read_text())
    end_group(other, other, "web")
    assert program.child_lives


def test_it_has_nothing_to_end_on_the_first_start(tmp_path: Path) -> None:
    end_group(tmp_path, tmp_path, "web")


def test_it_tells_a_living_master_from_a_killed_one(program: Program, tmp_path: Path) -> None:
    assert is_alive(tmp_path, "web")
    program.kill_master()
    assert not is_alive(tmp_path, "web")
