"""The inside of a lab host: namespaces with files of its own, and running programs there."""

import os
import shutil
import subprocess
from pathlib import Path

FIRST = Path(__file__).with_name("first.py")
# Folders of the host that begin empty; etc begins as the machine's, cache with what libvirt knows of this QEMU.
EMPTY = {"home": 0o755, "root": 0o700, "log": 0o755, "spool": 0o755}
CAPABILITIES = Path("/var/cache/libvirt/qemu/capabilities")
# Another system for the hosts to run (README): its programs and its libvirt in place of the machine's.
ROOT = Path(os.environ.get("LAB_ROOT", "/"))


class Inside:
    """Namespaces (network, mount, PID, UTS) in which a host lives; `folder` and `disks` hold its files.

    They end with `down`, and by themselves when this process ends, however it does.
    """

    def __init__(self, hostname: str, folder: Path, disks: Path) -> None:
        self.hostname, self.folder, self.disks = hostname, folder, disks
        self.pid = 0
        self._first: subprocess.Popen[str] | None = None

    def furnish(self) -> None:
        """Make the folders; what is then laid over the machine's /etc may be changed before `up`."""
        for path, mode in ((self.disks, 0o755), *((self.folder / name, mode) for name, mode in EMPTY.items())):
            path.mkdir(parents=True)
            path.chmod(mode)
        subprocess.run(["cp", "-a", ROOT / "etc", self.folder / "etc"], check=True)
        known = self.folder / "cache" / "qemu" / "capabilities"
        known.mkdir(parents=True)
        for found in CAPABILITIES.glob("*.xml") if Path("/") == ROOT else ():
            shutil.copy2(found, known)

    def up(self) -> None:
        """Start the first process."""
        spaces = ["--net", "--mount", "--uts", "--pid", "--fork", "--propagation", "private"]
        words = [self.hostname, str(self.folder), str(self.disks), str(ROOT)]
        self._first = subprocess.Popen(
            ["unshare", *spaces, "/usr/bin/python3", "-c", FIRST.read_text(), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            start_new_session=True,
        )
        assert self._first.stdout
        word, _, pid = self._first.stdout.readline().partition(" ")
        assert word == "ready", f"{self.hostname} does not start"
        self.pid = int(pid)

    def down(self) -> None:
        """End everything that runs inside."""
        if self._first is None:
            return
        assert self._first.stdin
        assert self._first.stdout
        self._first.stdin.close()
        self._first.wait(timeout=10)
        self._first.stdout.close()
        self._first = None

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", "-r", "-w", "--", *arguments]

    def run(
        self, *arguments: str, stdin: str = "", check: bool = True, timeout: float = 30
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside as root; AssertionError with what it said when it fails and `check` is set."""
        done = subprocess.run(
            self._command(arguments), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode == 0 or not check, f"{self.hostname}: {arguments}: {done.stdout}{done.stderr}"
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a program inside; `end` ends it."""
        return subprocess.Popen(self._command(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def end(self, process: subprocess.Popen[str]) -> None:
        """End a program that `start` started (nsenter waits for it, and ends as it does)."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in children:
            subprocess.run(["kill", pid], check=False)
        process.wait(timeout=10)
        if process.stdout:
            process.stdout.close()
