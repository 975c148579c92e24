"""The first process of a lab host: `first.py HOSTNAME FOLDER DISKS`, started in new namespaces.

It puts the host's own files over the machine's and says "ready PID", PID as the machine counts. Then it
buries the host's orphans until its standard input closes, as that of a killed test does too: with the
first process of a PID namespace the kernel ends all others, and with the last of them the host's network.

Runs outside the project: nothing of it is imported.
"""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

OWN = {
    "etc": "/etc",
    "home": "/home",
    "root": "/root",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
    "spool": "/var/mail",
}


def mount(*arguments: str, check: bool = True) -> None:
    subprocess.run(["mount", *arguments], check=check, stderr=None if check else subprocess.DEVNULL)


def main(hostname: str, folder: Path, disks: Path) -> None:
    seen_outside = Path("/proc/self").readlink()
    subprocess.run(["hostname", hostname], check=True)
    for name, place in OWN.items():
        mount("--bind", str(folder / name), place)
    mount("--bind", str(disks), "/var/lib/libvirt")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("lock", "libvirt", "sshd"):
        Path("/run", name).mkdir(mode=0o755)
    mount("-t", "proc", "proc", "/proc")
    # The machine's own shows the machine's network cards; where it cannot be replaced, it stays.
    mount("-t", "sysfs", "sysfs", "/sys", check=False)
    orphans, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    sys.stdout.write(f"ready {seen_outside}\n")
    sys.stdout.flush()
    while True:
        heard, _, _ = select.select([sys.stdin, orphans], [], [])
        if sys.stdin in heard:
            return
        os.read(orphans, 4096)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
