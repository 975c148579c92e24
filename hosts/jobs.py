"""What workers do with hosts themselves, before anything on them is changed."""

from dataclasses import asdict
from typing import Any

from hosts.access import access_to
from hosts.checks import KIND
from hosts.connections import host_of
from hosts.letting_in import line_for
from hosts.models import Host
from hosts.secrets import unseal
from tasks.context import Context
from tasks.registry import job, question
from virt.checklist.line import Line, State
from virt.checklist.run import check, planned
from virt.ssh import offered_keys
from virt.transport import endpoint


@question("hosts.offered_keys")
def _offered_keys(host_id: int, arguments: dict[str, Any]) -> list[str]:
    """The keys that the host's sshd offers now, the best first."""
    peer = endpoint(Host.objects.get(pk=host_id).uri)
    return offered_keys(peer.host, peer.port)


@job(KIND)
def _check(context: Context) -> list[dict[str, Any]]:
    """Look at the host line by line, whatever its state; what is found shows as it is found."""
    host = host_of(context.host_id)
    let_in = line_for(host, unseal(host.sealed))
    found: list[dict[str, Any]] = []
    with access_to(host) as access:
        names = planned(access)
        for line in check(access, let_in=let_in):
            context.check()
            found.append(asdict(line))
            done = {entry["name"] for entry in found}
            waiting = [asdict(Line(name, State.WAITING)) for name in names if name not in done]
            context.so_far([*found, *waiting])
    return found
