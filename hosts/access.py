"""What opens a host: its address with our key, its pinned key, its password or certificates."""

import base64
import hashlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from hosts.keys import own_key, own_public_key
from hosts.models import Host
from hosts.secrets import Secrets, unseal
from virt.access import Access
from virt.passage import hold, release
from virt.transport import endpoint, resolve
from webvirt.places import private_folder

OPENING = "opening"
# The key belongs to the host, by whichever name and port it is reached.
ALIAS = "host"
# Twice as fast as ssh's own first choice wherever processors have AES, which is everywhere that guests run.
FAST_CIPHER = "aes128-gcm@openssh.com"
# All of a name's addresses but the last share these: where there are several, a silent one may not use up the open's.
CONNECT_SECONDS, CONNECT_SECONDS_OF_SEVERAL = 15, 7
# ssh adds 17 characters of its own to a socket's name, and the whole has to fit into 107.
CONTROL_LENGTH = 9


@contextmanager
def access_to(host: Host, *, shared: bool = False) -> Iterator[Access]:
    """What opens `host`, with the files that ssh or TLS read while it opens; they are gone after the block.

    With `shared` an ssh host is opened through one ssh connection, which is made where there is none and kept
    for a minute. Raises virt's HostKeyUnknown for an ssh host whose key was not confirmed yet, KeptUnreadable when
    its secrets cannot be read, OwnKeyUnreadable where our key cannot, and with `shared` TimedOut.
    """
    secrets = unseal(host.sealed)
    with TemporaryDirectory(dir=private_folder(settings.RUN / OPENING)) as name:
        folder = Path(name)
        known = endpoint(host.uri).transport == "ssh" and host.host_key
        control = control_of(host) if shared else None
        ssh = _ssh(folder, host, secrets, control) if known else None
        access = Access(host.uri, password=secrets.password, ssh=ssh, pki=_pki(folder, secrets))
        if ssh and control:
            hold(access, control)
        yield access


def control_of(host: Host) -> Path:
    """The socket of the shared connection: another one where anything by which the host is reached is another."""
    digest = hashlib.sha256(repr(host.reach).encode()).digest()
    return Path(settings.RUN) / base64.urlsafe_b64encode(digest).decode()[:CONTROL_LENGTH]


def let_go() -> None:
    """Let the shared connections end that nobody goes through, on this machine."""
    for lock in Path(settings.RUN).glob("*.lock"):
        control = lock.with_suffix("")
        if control.is_socket():
            release(control)


def _connect_seconds(uri: str) -> int:
    """How long ssh waits for the host's first word before it turns to its next address."""
    with suppress(OSError):
        if len(resolve(endpoint(uri))) > 1:
            return CONNECT_SECONDS_OF_SEVERAL
    return CONNECT_SECONDS


def _ssh(folder: Path, host: Host, secrets: Secrets, control: Path | None) -> Path:
    """Write the program that libvirt runs as ssh: it trusts one key, offers one key and asks nobody."""
    if not secrets.private_key:
        own_public_key()  # ssh's words for a file that is no key are those for one that the host refused
    key = _written(folder / "id", secrets.private_key) if secrets.private_key else own_key()
    _written(folder / "known_hosts", f"{ALIAS} {host.host_key}\n")
    config = _written(
        folder / "config",
        "\n".join(
            f"{name} {value}"
            for name, value in {
                "IdentityFile": _quoted(key),
                "IdentitiesOnly": "yes",
                "IdentityAgent": "none",
                "UserKnownHostsFile": _quoted(folder / "known_hosts"),
                "GlobalKnownHostsFile": "/dev/null",
                "HostKeyAlias": ALIAS,
                "Ciphers": f"^{FAST_CIPHER}",
                "ControlPath": _quoted(control) if control else "none",
                "StrictHostKeyChecking": "yes",
                "UpdateHostKeys": "no",
                "PreferredAuthentications": "publickey",
                "BatchMode": "yes",
                "ForwardAgent": "no",
                "ForwardX11": "no",
                "ConnectTimeout": str(_connect_seconds(host.uri)),
                "ServerAliveInterval": "5",
                "ServerAliveCountMax": "2",
                "LogLevel": "ERROR",
            }.items()
        )
        + "\n",
    )
    program = _written(folder / "ssh", f'#!/bin/sh\nexec ssh -F {shlex.quote(str(config))} "$@"\n')
    program.chmod(0o700)
    return program


def _pki(folder: Path, secrets: Secrets) -> Path | None:
    """Write the certificates where libvirt reads them; None for those of the machine."""
    files = {
        "cacert.pem": secrets.ca_certificate,
        "clientcert.pem": secrets.client_certificate,
        "clientkey.pem": secrets.client_key,
    }
    for name, text in files.items():
        if text:
            _written(folder / name, text)
    return folder if any(files.values()) else None


def _written(path: Path, text: str) -> Path:
    """Write a file that our own user alone may read."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _quoted(path: Path) -> str:
    """A path as ssh's configuration takes it, where `%` begins a token."""
    return '"{}"'.format(str(path).replace("%", "%%"))
