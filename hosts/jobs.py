"""What workers do with hosts themselves, before anything on them is changed."""

from typing import Any

from hosts.models import Host
from tasks.registry import question
from virt.ssh import offered_keys
from virt.transport import endpoint


@question("hosts.offered_keys")
def _offered_keys(host_id: int, arguments: dict[str, Any]) -> list[str]:
    """The keys that the host's sshd offers now, the best first."""
    peer = endpoint(Host.objects.get(pk=host_id).uri)
    return offered_keys(peer.host, peer.port)
