"""What a checklist found on a host of the lab, and its hosts as they are reached."""

from tests.lab.host import Host
from virt.access import Access
from virt.checklist.line import Line, State
from virt.checklist.run import check, planned

OK, WARNING, FAILED, NOT_TRIED = State.OK, State.WARNING, State.FAILED, State.NOT_TRIED


class Found:
    """What a check found: the lines by name, and their words."""

    def __init__(self, access: Access, let_in: str = "true") -> None:
        self.lines: dict[str, Line] = {line.name: line for line in check(access, let_in=let_in)}
        self.planned = planned(access)

    def title(self, name: str) -> str:
        return self.lines[name].title % self.lines[name].params

    def words(self, name: str) -> str:
        """All that a person reads of it."""
        line = self.lines[name]
        return " ".join((line.title, line.detail, line.hint)) % line.params

    def command(self, name: str) -> str:
        assert self.lines[name].where == "host"
        return self.lines[name].command

    def first_step(self, name: str) -> str:
        """The command for Debian without the daemon's restart, which is systemd's elsewhere."""
        return self.command(name).splitlines()[0].partition("  # ")[0].rpartition(" && systemctl")[0]

    def stopped_at(self, name: str) -> bool:
        """Whether all before is good, this failed, and nothing after it was tried."""
        states = [self.lines[one].state for one in self.planned]
        at = self.planned.index(name)
        return states == [OK] * at + [FAILED] + [NOT_TRIED] * (len(states) - at - 1)


def furnish(host: Host) -> None:
    """Give the host a pool and a network."""
    host.run("mkdir", "-p", "/var/lib/libvirt/images")
    host.virsh("pool-define-as", "default", "dir", "--target", "/var/lib/libvirt/images")
    host.virsh("pool-start", "default")
    host.virsh("net-start", "default")
