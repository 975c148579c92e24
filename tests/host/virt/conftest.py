"""What the tests of the libvirt layer share: a connection, and a pool of their own that is gone after them."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import libvirt
import pytest

from tests.lab.lab import Lab
from tests.lab.ssh_host import SshClient, SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost
from virt import storage
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.xml.storage import Pool

URI = "qemu:///system"
PREFIX = "wv-virt-test-"
INSTALLER = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
GRUB = 'set timeout=1\nmenuentry "install" {\n linux /boot/linux fb=false ---\n initrd /boot/initrd.gz\n}\n'


@dataclass(frozen=True)
class OwnPool:
    """A dir pool with a unique name."""

    uuid: UUID
    name: str
    folder: Path


def unique(word: str) -> str:
    return f"{PREFIX}{word}-{uuid4().hex[:8]}"


@pytest.fixture
def conn() -> Iterator[Connection]:
    with open_connection(Access(URI)) as connection:
        yield connection


@pytest.fixture
def pool(conn: Connection) -> Iterator[OwnPool]:
    name = unique("pool")
    # Not under pytest's own folders: QEMU's user could not pass through them.
    folder = Path(tempfile.mkdtemp(prefix=name, dir="/var/lib/libvirt"))
    folder.chmod(0o711)
    uuid = storage.define_pool(
        conn, Pool(type="dir", name=name, path=str(folder / "pool")), autostart=False, start=True, build=True
    )
    try:
        yield OwnPool(uuid, name, folder / "pool")
    finally:
        handle = conn.handle.storagePoolLookupByUUID(uuid.bytes)
        if handle.isActive():
            handle.destroy()
        handle.undefine()
        shutil.rmtree(folder)


@pytest.fixture
def clean_domains(conn: Connection) -> Iterator[None]:
    """Removes what a test's guests left behind."""
    try:
        yield
    finally:
        for domain in conn.handle.listAllDomains(0):
            if domain.name().startswith(PREFIX):
                if domain.isActive():
                    domain.destroy()
                if domain.isPersistent():
                    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


@pytest.fixture(scope="session")
def installer_iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's real installer on a CD that BIOS starts."""
    folder = tmp_path_factory.mktemp("installer")
    boot = folder / "cd" / "boot"
    (boot / "grub").mkdir(parents=True)
    for name in ("linux", "initrd.gz"):
        shutil.copy(INSTALLER / name, boot / name)
    (boot / "grub" / "grub.cfg").write_text(GRUB)
    iso = folder / "installer.iso"
    subprocess.run(["grub-mkrescue", "-o", iso, folder / "cd"], check=True, capture_output=True)
    return iso


@pytest.fixture
def ssh(ssh_host: SshHost, ssh_client: SshClient) -> Access:
    return Access(ssh_host.uri, ssh=ssh_client.command)


@pytest.fixture
def tcp(tcp_host: TcpHost) -> Access:
    return Access(tcp_host.uri.replace("://", f"://{tcp_host.user}@"), password=tcp_host.password)


@pytest.fixture
def tls(tls_host: TlsHost) -> Access:
    return Access(tls_host.uri, pki=tls_host.client("known"))


@pytest.fixture
def own_ssh() -> Iterator[tuple[SshHost, Access]]:
    """A host that is thrown away afterwards, for what cannot be mended."""
    with Lab() as lab:
        lab.client.know(lab.ssh)
        lab.ssh.trust(lab.client.public_key)
        yield lab.ssh, Access(lab.ssh.uri, ssh=lab.client.command)
