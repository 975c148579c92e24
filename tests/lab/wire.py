"""A host's link to the others, and what can happen to it."""

import subprocess
from pathlib import Path
from typing import Literal

from tests.lab.inside import Inside

DELAY = Path(__file__).with_name("delay.py")
LOST = """
table inet wvlab_lost {
  chain from { type filter hook input priority -300; policy drop; iif "lo" accept; }
  chain to { type filter hook output priority -300; policy drop; oif "lo" accept; }
}
"""
SHUT = """
table inet wvlab_shut {
  chain from { type filter hook input priority -300; %s; }
}
"""
ANSWERS = {
    "closed": "tcp dport %d reject with tcp reset",
    "forbidden": "tcp dport %d reject with icmpx admin-prohibited",
    "silent": "tcp dport %d drop",
}


class Wire:
    """The network of one host: address, going dark, ports shut, slowness. `mend` undoes all of it."""

    def __init__(self, inside: Inside, address: str, network: str) -> None:
        self.inside, self.address, self.network = inside, address, network
        self._tables: set[str] = set()
        self._delay: subprocess.Popen[str] | None = None

    def plug(self, cable: str, bridge: str) -> None:
        """Lay a cable from the bridge to the host's eth0."""
        for command in (
            f"ip link add {cable} type veth peer name eth0 netns {self.inside.pid}",
            f"ip link set {cable} master {bridge} up",
        ):
            subprocess.run(command.split(), check=True)
        length = self.network.partition("/")[2]
        self.inside.run("ip", "-batch", "-", stdin=(
            f"link set lo up\naddr add {self.address}/{length} dev eth0\nlink set eth0 up\n"
            f"route add default via {self.gateway}\n"
        ))  # fmt: skip

    @property
    def gateway(self) -> str:
        return self.network.partition("/")[0].rpartition(".")[0] + ".1"

    def lose(self) -> None:
        """Drop every packet from and to the host; its own loopback goes on."""
        self._fill("wvlab_lost", LOST)

    def shut(self, port: int, answer: Literal["closed", "forbidden", "silent"]) -> None:
        """Answer new packets to a port like a machine where nobody listens, or a firewall that refuses or drops."""
        self._fill("wvlab_shut", SHUT % (ANSWERS[answer] % port))

    def _fill(self, table: str, rules: str) -> None:
        self._clear({table})
        self.inside.run("nft", "-f", "-", stdin=rules)
        self._tables.add(table)

    def _clear(self, tables: set[str]) -> None:
        for table in tables & self._tables:
            self.inside.run("nft", "delete", "table", "inet", table)
            self._tables.discard(table)

    def find(self) -> None:
        self._clear({"wvlab_lost"})

    def open(self) -> None:
        self._clear({"wvlab_shut"})

    def slow(self, milliseconds: float) -> None:
        """Send everything later by so much."""
        self.fast()
        self._delay = self.inside.start(
            "/usr/bin/python3", "-c", DELAY.read_text(), str(milliseconds), self.address, self.network
        )
        assert self._delay.stdout
        assert self._delay.stdout.readline() == "ready\n"

    def fast(self) -> None:
        if self._delay:
            self.inside.end(self._delay)
            self._delay = None

    def mend(self) -> None:
        self.find()
        self.open()
        self.fast()
