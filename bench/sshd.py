"""An sshd on this machine's loopback that lets one key in, for consoles of guests on "other" machines."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.stack import free_port
from tests.waiting import wait_for


@dataclass(frozen=True)
class Sshd:
    """Where it listens, its public key (`KIND BASE64`), and a folder with what a plain ssh needs to go there."""

    port: int
    host_key: str
    folder: Path

    def tunnel(self, here: int, there: int) -> list[str]:
        """A plain ssh that leads from a port here to one there, as one would start it by hand."""
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        options = (f"UserKnownHostsFile={known}", f"IdentityFile={self.folder / 'client'}", "ExitOnForwardFailure=yes")
        return [
            *("ssh", "-F", "none", "-N", "-p", str(self.port), "-L", f"127.0.0.1:{here}:127.0.0.1:{there}"),
            *(word for option in options for word in ("-o", option)),
            "127.0.0.1",
        ]


@contextmanager
def sshd(public_key: str) -> Iterator[Sshd]:
    with TemporaryDirectory(prefix="wv-sshd-") as name:
        folder = Path(name)
        for key in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
        (folder / "authorized").write_text(f"{public_key}\n{(folder / 'client.pub').read_text()}")
        Path("/run/sshd").mkdir(exist_ok=True)
        port = free_port()
        options = (
            f"Port={port}",
            "ListenAddress=127.0.0.1",
            f"HostKey={folder / 'host'}",
            f"AuthorizedKeysFile={folder / 'authorized'}",
            "PidFile=none",
            "StrictModes=no",
            "UsePAM=no",
        )
        command = ["/usr/sbin/sshd", "-D", "-f", "none", *(word for one in options for word in ("-o", one))]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                kind, blob, *_ = (folder / "host.pub").read_text().split()
                scan = ["ssh-keyscan", "-p", str(port), "127.0.0.1"]
                wait_for(lambda: blob in subprocess.run(scan, capture_output=True, text=True, check=False).stdout)
                yield Sshd(port, f"{kind} {blob}", folder)
            finally:
                process.terminate()
