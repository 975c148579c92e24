"""The first process of a lab host: `first.py HOSTNAME FOLDER DISKS ROOT`, started in new namespaces.

It puts the host's own files over those of ROOT (the machine's own, or another system's, which it then enters with
devices made anew) and says "ready PID", PID as the machine counts. Then it
buries the host's orphans until its standard input closes, as that of a killed test does too: with the
first process of a PID namespace the kernel ends all others, and with the last of them the host's network.

Runs outside the project: nothing of it is imported.
"""

import os
import select
import signal
import stat
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
# Name, numbers of the device; all may open them.
DEVICES = (
    ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ("kvm", 10, 232), ("net/tun", 10, 200),
)  # fmt: skip


def mount(*arguments: str, check: bool = True) -> None:
    subprocess.run(["mount", *arguments], check=check, stderr=None if check else subprocess.DEVNULL)


def enter(root: Path) -> None:
    """Make another system's root our own."""
    dev = root / "dev"
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(dev))
    for name in ("net", "pts", "shm"):
        (dev / name).mkdir()
    os.umask(0)
    for name, major, minor in DEVICES:
        os.mknod(dev / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    os.umask(0o022)
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620,gid=5", "devpts", str(dev / "pts"))
    (dev / "ptmx").symlink_to("pts/ptmx")
    (dev / "fd").symlink_to("/proc/self/fd")
    mount("-t", "tmpfs", "tmpfs", str(dev / "shm"))
    mount("-t", "tmpfs", "tmpfs", str(root / "tmp"))
    os.chroot(root)
    os.chdir("/")


def main(hostname: str, folder: Path, disks: Path, root: Path) -> None:
    seen_outside = Path("/proc/self").readlink()
    subprocess.run(["hostname", hostname], check=True)
    for name, place in OWN.items():
        mount("--bind", str(folder / name), f"{root}/{place}")
    mount("--bind", str(disks), f"{root}/var/lib/libvirt")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/run")
    for name in ("lock", "libvirt", "sshd"):
        (root / "run" / name).mkdir(mode=0o755)
    mount("-t", "proc", "proc", f"{root}/proc")
    # The machine's own shows the machine's network cards; where it cannot be replaced, it stays.
    mount("-t", "sysfs", "sysfs", f"{root}/sys", check=False)
    if root != Path("/"):
        enter(root)
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
    main(sys.argv[1], *(Path(place) for place in sys.argv[2:5]))
