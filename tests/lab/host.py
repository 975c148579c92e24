"""A libvirt host of the lab: its daemons, and what can go wrong with them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar, Literal
from uuid import UUID, uuid4

from tests.lab.inside import Inside
from tests.lab.wire import Wire
from tests.waiting import wait_for

START_SECONDS = 60.0
NETWORK = Path("/usr/share/libvirt/networks/default.xml")
SOCKETS = Path("/run/libvirt")
# The daemons that virtqemud turns to, and what makes libvirtd do so.
PARTS = ("virtstoraged", "virtnetworkd", "virtnodedevd")
AS_MODULAR = Path(__file__).with_name("parts.c")
GROUPS = Path("/sys/fs/cgroup")
FUSE = Path("/dev/fuse")
LXC = "lxc:///system"
# What `mend` brings back: a host's files as it was made.
KEPT = ("etc", "home", "root")
# Written by libvirtd itself, and brought back through libvirt.
LIVING = ("qemu", "storage", "secrets", "nwfilter")


class Host:
    """A host in namespaces of its own, with virtlogd, virtlockd and libvirtd.

    `uri` is where the machine reaches its libvirt, `address` where the host is. Methods that break
    something are undone by `mend`, which every test's fixture calls at its end.
    """

    name: ClassVar[str]
    port: ClassVar[int]
    # What libvirtd itself listens on besides its unix sockets, in systemd's words.
    listens: ClassVar[Literal["", "tcp", "tls"]] = ""

    def __init__(self, folder: Path, disks: Path, address: str, network: str, bridge: str) -> None:
        self.folder, self.disks, self.address, self.bridge = folder, disks, address, bridge
        self.hostname = f"{self.name}.lab"
        self.uuid: UUID = uuid4()
        self.inside = Inside(self.hostname, folder, disks)
        self.wire = Wire(self.inside, address, network)
        self._usual = False
        self._carries = False

    @property
    def uri(self) -> str:
        """The libvirt URI of this host, without what only a client knows (keys, passwords)."""
        raise NotImplementedError

    def libvirtd_conf(self) -> dict[str, str | int]:
        """Lines of libvirtd.conf besides those of every host."""
        return {}

    def qemu_conf(self) -> str:
        return "cgroup_controllers = []\nnamespaces = []\n"

    def prepare(self) -> None:
        """Change the host's files before it starts, in `self.etc`."""

    def settle(self) -> None:
        """Start what the host has besides libvirt, and make its accounts, once it is up."""

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    # Coming and going.

    def up(self, names: dict[str, str]) -> None:
        """Start the host; `names` are all hosts' addresses by host name."""
        self.inside.furnish()
        libvirt = self.etc / "libvirt"
        for name in ("qemu", "storage", "secrets"):
            shutil.rmtree(libvirt / name, ignore_errors=True)
        (libvirt / "qemu" / "networks").mkdir(parents=True)
        shutil.copy(NETWORK, libvirt / "qemu" / "networks" / "default.xml")
        self.write_conf()
        with (libvirt / "qemu.conf").open("a") as conf:
            conf.write(self.qemu_conf())
        (self.etc / "hostname").write_text(self.hostname + "\n")
        lines = [f"{address} {name}.lab {name}" for name, address in names.items()]
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{line}\n" for line in lines))
        self.prepare()
        self.inside.up()
        self.wire.plug(f"{self.bridge}-{self.address.rpartition('.')[2]}", self.bridge)
        self.run("virtlogd", "-d")
        self.run("virtlockd", "-d")
        self.settle()
        self.start_daemon()
        for name in KEPT:
            subprocess.run(["cp", "-a", self.folder / name, self.folder / f"{name}.kept"], check=True)

    def down(self) -> None:
        self.inside.down()

    def write_conf(self, **changed: str | int | list[str]) -> None:
        """Write libvirtd.conf anew; it counts from the daemon's next start."""
        lines: dict[str, str | int | list[str]] = {
            "host_uuid": str(self.uuid),
            "unix_sock_group": "libvirt",
            "unix_sock_ro_perms": "0777",
            "unix_sock_rw_perms": "0770",
            "auth_unix_ro": "none",
            "auth_unix_rw": "none",
            "listen_tls": 0,
            "listen_tcp": 0,
            "listen_addr": self.address,
            **self.libvirtd_conf(),
            **changed,
        }
        written = (f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
        (self.etc / "libvirt" / "libvirtd.conf").write_text("".join(written))

    # Programs inside.

    def run(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """What a program run inside as root says; it must succeed unless `check` is off."""
        done = self.inside.run(*arguments, stdin=stdin, check=check)
        return done.stdout + done.stderr

    def shell(self, lines: str, user: str = "root", stdin: str = "") -> str:
        """What lines say that a person types on the host, as `user` with a login shell."""
        return self.run("su", "--login", user, "--command", lines, stdin=stdin)

    def virsh(self, *arguments: str) -> str:
        """What virsh says on the host itself, be it an answer or a complaint."""
        return self.run("virsh", "-q", "-c", "qemu:///system", *arguments, check=False).strip()

    # Its daemons.

    def start_daemon(self) -> None:
        """Start libvirtd as the host normally runs it."""
        listen = ("--listen",) if self.listens else ()
        self.run("libvirtd", "-d", *listen, "-p", "/run/libvirtd.pid")
        wait_for(lambda: self.virsh("uri") == "qemu:///system", START_SECONDS)
        self._usual = True

    def stop_daemon(self) -> None:
        """End libvirtd, of whichever kind it was; guests go on."""
        self._usual = False
        for pid in self.pids("libvirtd") + self.pids("systemd-socket-"):
            self.run("kill", pid, check=False)
        wait_for(lambda: not self.pids("libvirtd"), START_SECONDS)
        self.run("rm", "-f", "/run/libvirtd.pid", *(str(SOCKETS / name) for name in (
            "libvirt-sock", "libvirt-sock-ro", "libvirt-admin-sock", "virtqemud-sock", "virtqemud-sock-ro",
            *(f"{part}-sock" for part in PARTS),
        )))  # fmt: skip

    def restart_daemon(self) -> None:
        self.stop_daemon()
        self.start_daemon()

    def freeze_daemon(self) -> None:
        """Stop libvirtd where it stands: it accepts connections and never answers."""
        for pid in self.pids("libvirtd"):
            self.run("kill", "-STOP", pid)

    def thaw_daemon(self) -> None:
        for pid in self.pids("libvirtd"):
            self.run("kill", "-CONT", pid, check=False)

    def start_by_socket(self, kind: Literal["libvirt", "virtqemud"] = "libvirt") -> None:
        """Let libvirtd start at the first connection, as systemd's socket units do, in place of a running one.

        With "virtqemud" it stands at the sockets of the modular daemon, and does as that one does: there is no
        libvirt-sock and no TCP port, and `stop_part` and `start_part` are for the daemons that it turns to.
        """
        self.stop_daemon()
        names = ["libvirtd.socket", "libvirtd-ro.socket"]
        listen = [str(SOCKETS / f"{kind}-sock"), str(SOCKETS / f"{kind}-sock-ro")]
        if self.listens and kind == "libvirt":
            names.append(f"libvirtd-{self.listens}.socket")
            listen.append(f"{self.address}:{self.port}")
        options = [f"--fdname={':'.join(names)}", *(f"--listen={place}" for place in listen)]
        if kind == "virtqemud":
            options.append(f"--setenv=LD_PRELOAD={self._preload()}")
            for part in PARTS:
                self.start_part(part)
        self.run("setsid", "--fork", "sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh",
                 "systemd-socket-activate", *options, "libvirtd", "--timeout=120")  # fmt: skip
        wait_for(lambda: self.run("ls", str(SOCKETS)).count(f"{kind}-sock"))
        self.run("chgrp", "libvirt", listen[0])
        self.run("chmod", "770", listen[0])

    def start_part(self, name: str) -> None:
        """Start virtstoraged, virtnetworkd or virtnodedevd beside the stand-in for virtqemud."""
        self.run("touch", str(SOCKETS / f"{name}-sock"))

    def stop_part(self, name: str) -> None:
        self.run("rm", str(SOCKETS / f"{name}-sock"))

    def grow_old(self, version: str) -> None:
        """Run a libvirtd that says that it is of this version (as 5.0.0): no older one is to be had."""
        self.stop_daemon()
        major, minor, release = (int(number) for number in version.split("."))
        told = f"LAB_LIBVIRT={major * 1_000_000 + minor * 1_000 + release}"
        listen = ("--listen",) if self.listens else ()
        self.run("env", told, f"LD_PRELOAD={self._preload()}", "libvirtd", "-d", *listen, "-p", "/run/libvirtd.pid")
        wait_for(lambda: self.virsh("uri") == "qemu:///system", START_SECONDS)

    def _preload(self) -> Path:
        """What makes libvirtd behave as the modular daemons do, compiled."""
        made = self.disks / "parts.so"
        if not made.exists():
            subprocess.run(["gcc", "-shared", "-fPIC", "-o", made, AS_MODULAR], check=True)
        return Path("/var/lib/libvirt", made.name)

    def pids(self, program: str) -> list[str]:
        """The PIDs inside of a program's processes."""
        return self.inside.run("pgrep", "-x", program, check=False).stdout.split()

    def carry_containers(self) -> None:
        """Have libvirt's LXC driver start containers, for which it wants the machine's control groups."""
        self._carries = True
        self.run("mount", "-t", "tmpfs", "tmpfs", str(GROUPS))
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        # Version 1 has a hierarchy for some controllers each, or for none, with a name; that of version 2 names none.
        hierarchies = [controllers for _, controllers, _ in (line.split(":", 2) for line in lines) if controllers]
        for controllers in hierarchies:
            place = str(GROUPS / controllers.removeprefix("name="))
            self.run("mkdir", place)
            self.run("mount", "-t", "cgroup", "-o", controllers, "cgroup", place)
        if not hierarchies:
            self.run("mount", "-t", "cgroup2", "cgroup2", str(GROUPS))
        # It shows a container its own /proc/meminfo by FUSE.
        if not FUSE.exists():
            self.run("mknod", "-m", "666", str(FUSE), "c", "10", "229")
        self.restart_daemon()

    def _carry_none(self) -> None:
        self._carries = False
        for container in self.run("virsh", "-q", "-c", LXC, "list", "--all", "--name").split():
            self.run("virsh", "-q", "-c", LXC, "destroy", container, check=False)
            self.run("virsh", "-q", "-c", LXC, "undefine", container)
        self.stop_daemon()
        self.run("umount", "--recursive", "--lazy", str(GROUPS))

    # Its network.

    def go_dark(self) -> None:
        """Drop every packet from and to the host, as a pulled plug does."""
        self.wire.lose()

    def come_back(self) -> None:
        self.wire.find()

    def slow(self, milliseconds: float) -> None:
        """Everything that the host sends arrives later by so much."""
        self.wire.slow(milliseconds)

    def fast(self) -> None:
        self.wire.fast()

    def close_port(self, answer: Literal["closed", "forbidden", "silent"] = "closed") -> None:
        """Shut the port by which the host is reached (Wire.shut)."""
        self.wire.shut(self.port, answer)

    def open_port(self) -> None:
        self.wire.open()

    # Undoing.

    def mend(self) -> None:
        """Make the host as it was when it came up: network, daemons, files, and no guest, pool or active network."""
        self.wire.mend()
        self.thaw_daemon()
        if self._carries:
            self._carry_none()
        changed = self._restore_files()
        if changed or not self._usual or not self.pids("libvirtd"):
            self.restart_daemon()
        self._clear()

    def _restore_files(self) -> bool:
        """Bring the kept files back; whether libvirtd has to read any of them anew."""
        leave = [f"--exclude={name}" for name in LIVING]
        again = False
        for name in KEPT:
            kept, here = self.folder / f"{name}.kept", self.folder / name
            compare = ["diff", "-rq", "--no-dereference", *leave, str(kept), str(here)]
            told = subprocess.run(compare, capture_output=True, text=True, check=False)
            if told.returncode == 0:
                continue
            again = again or any(word in told.stdout for word in ("/libvirt", "/sasl2", "/pki"))
            for entry in here.iterdir():
                if not (name == "etc" and entry.name == "libvirt"):
                    shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
            subprocess.run(["cp", "-a", f"{kept}/.", here], check=True)
        return again

    def _clear(self) -> None:
        listed = self.virsh("list --all --name; pool-list --all --name; net-list --name")
        if not listed:
            return
        for guest in self.virsh("list", "--all", "--name").split():
            self.virsh("destroy", guest)
            self.virsh("undefine", guest, "--nvram", "--managed-save", "--snapshots-metadata")
        for pool in self.virsh("pool-list", "--all", "--name").split():
            self.virsh("pool-destroy", pool)
            self.virsh("pool-undefine", pool)
        shutil.rmtree(self.disks / "images", ignore_errors=True)
        for network in self.virsh("net-list", "--name").split():
            self.virsh("net-destroy", network)
