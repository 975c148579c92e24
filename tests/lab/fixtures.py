"""The lab as fixtures: up at its first use in a session, ended with it, mended after each test that uses a host."""

from collections.abc import Iterator

import pytest

from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.ssh_host import SshClient, SshHost
from tests.lab.tcp_host import TcpHost
from tests.lab.tls_host import TlsHost


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The hosts themselves. A test takes those below, or mends what it breaks."""
    with Lab() as running:
        yield running


def _mended(host: Host) -> Iterator[None]:
    try:
        yield
    finally:
        host.mend()


@pytest.fixture
def ssh_host(lab: Lab) -> Iterator[SshHost]:
    """The host that is reached by ssh. Nobody's key is in its account yet."""
    for _ in _mended(lab.ssh):
        yield lab.ssh


@pytest.fixture
def tcp_host(lab: Lab) -> Iterator[TcpHost]:
    """The host that is reached by TCP with a user and a password."""
    for _ in _mended(lab.tcp):
        yield lab.tcp


@pytest.fixture
def tls_host(lab: Lab) -> Iterator[TlsHost]:
    """The host that is reached by TLS with a certificate."""
    for _ in _mended(lab.tls):
        yield lab.tls


@pytest.fixture
def ssh_client(lab: Lab, ssh_host: SshHost) -> Iterator[SshClient]:
    """A key that the ssh host takes, and that knows the host."""
    lab.client.know(ssh_host)
    ssh_host.trust(lab.client.public_key)
    yield lab.client
    lab.client.forget()
