"""A host that is reached by ssh, and the client's side of it for tests."""

import shutil
import subprocess
from pathlib import Path

from tests.lab.host import Host
from tests.waiting import wait_for

USER = "webvirt"
SSHD_CONF = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile /run/sshd.pid
UsePAM yes
KbdInteractiveAuthentication no
PrintMotd no
Subsystem sftp /usr/lib/openssh/sftp-server
"""


class SshHost(Host):
    """A host with sshd and the account `webvirt` (a real shell, in group libvirt, without any key yet)."""

    name = "ssh-1"
    port = 22

    @property
    def uri(self) -> str:
        return f"qemu+ssh://{USER}@{self.address}/system"

    def prepare(self) -> None:
        shutil.rmtree(self.etc / "ssh")
        (self.etc / "ssh").mkdir(mode=0o755)
        (self.etc / "ssh" / "sshd_config").write_text(SSHD_CONF)
        self._make_host_key()

    def settle(self) -> None:
        self.run("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "libvirt", USER)
        self.start_sshd()

    def _make_host_key(self) -> None:
        key = self.etc / "ssh" / "ssh_host_ed25519_key"
        for path in (key, key.with_suffix(".pub")):
            path.unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.hostname, "-f", str(key)]
        subprocess.run(command, check=True)

    @property
    def host_key(self) -> str:
        """The public host key as sshd shows it: "ssh-ed25519 AAAA…"."""
        words = (self.etc / "ssh" / "ssh_host_ed25519_key.pub").read_text().split()
        return " ".join(words[:2])

    @property
    def fingerprint(self) -> str:
        """What `ssh-keygen -lf` says on the host: "SHA256:…"."""
        return self.run("ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub").split()[1]

    def start_sshd(self) -> None:
        self.run("/usr/sbin/sshd")

    def stop_sshd(self) -> None:
        """End sshd; connections that stand go on."""
        pid = self.run("cat", "/run/sshd.pid", check=False).strip()
        if pid.isdigit():
            self.run("kill", pid, check=False)
            wait_for(lambda: pid not in self.pids("sshd"))
        self.run("rm", "-f", "/run/sshd.pid")

    def restart_sshd(self) -> None:
        self.stop_sshd()
        self.start_sshd()

    def change_host_key(self) -> None:
        """Come back with another host key, as a machine that was installed anew."""
        self._make_host_key()
        self.restart_sshd()

    def nologin(self) -> None:
        """Give the account the shell that service accounts have."""
        self.run("usermod", "--shell", "/usr/sbin/nologin", USER)

    def chatter(self) -> None:
        """Have the account's shell print a line at every login."""
        self.run("tee", f"/home/{USER}/.bashrc", stdin="echo welcome\n")

    def leave_group(self) -> None:
        """Take the account out of the group libvirt."""
        self.run("gpasswd", "--delete", USER, "libvirt")

    def lose_libvirt(self, shell: str = "/bin/sh") -> None:
        """Have the account find no program but a shell, called sh, as on a machine without libvirt."""
        programs = f"/home/{USER}/bin"
        self.run("mkdir", programs)
        self.run("ln", "-s", shell, f"{programs}/sh")
        self.run("ln", "-s", "/usr/bin/which", programs)
        self.configure_sshd(f"SetEnv PATH={programs}")

    def configure_sshd(self, line: str) -> None:
        """Add a line to sshd_config."""
        conf = self.etc / "ssh" / "sshd_config"
        conf.write_text(conf.read_text() + line + "\n")
        self.restart_sshd()

    def ask_polkit(self) -> None:
        """Have polkit say who may use libvirt, as Debian does, and not the socket's group."""
        self.run("mkdir", "-p", "/run/dbus")
        self.run("dbus-daemon", "--system", "--fork")
        self.write_conf(auth_unix_rw="polkit", unix_sock_rw_perms="0777")
        self.restart_daemon()

    def trust(self, public_key: str) -> None:
        """Add a line to the account's authorized_keys."""
        self.shell("umask 077; mkdir -p ~/.ssh; cat >> ~/.ssh/authorized_keys", USER, public_key.strip() + "\n")

    def distrust(self) -> None:
        """Take every key from the account."""
        self.run("rm", "-rf", f"/home/{USER}/.ssh")

    def mend(self) -> None:
        self.run("pkill", "-x", "dbus-daemon|polkitd", check=False)
        super().mend()
        self.restart_sshd()


class SshClient:
    """A key of our own, hosts that it knows, and `command`, a program to give to libvirt in place of ssh."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.key = folder / "id_ed25519"
        self.known_hosts = folder / "known_hosts"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "webvirt", "-f", self.key], check=True)
        self.known_hosts.touch()
        conf = folder / "config"
        options = {
            "IdentityFile": self.key,
            "IdentitiesOnly": "yes",
            "PreferredAuthentications": "publickey",
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "4",
            "LogLevel": "ERROR",
        }
        conf.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
        self.command = folder / "ssh"
        self.command.write_text(f'#!/bin/sh\nexec ssh -F {conf} "$@"\n')
        self.command.chmod(0o700)

    @property
    def public_key(self) -> str:
        return self.key.with_suffix(".pub").read_text().strip()

    def know(self, host: SshHost) -> None:
        """Trust the host's key from now on."""
        with self.known_hosts.open("a") as known:
            known.write(f"{host.address} {host.host_key}\n")

    def forget(self) -> None:
        self.known_hosts.write_text("")

    def uri(self, host: SshHost) -> str:
        """A URI by which libvirt itself reaches the host with this key."""
        return f"{host.uri}?command={self.command}&no_tty=1"
