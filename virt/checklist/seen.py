"""What a look around on the host itself tells, where commands can be run there."""

import subprocess
from dataclasses import dataclass

MARK = "webvirt-looks-around"
# As long as libvirt itself is given by ssh.
LOOK_SECONDS = 20.0
# Read by `sh` from its standard input, so that any login shell runs it.
SCRIPT = f"""\
echo {MARK}
PATH=$PATH:/usr/sbin:/sbin
echo "time $(date +%s)"
echo "user $(id -un)"
echo "groups $(id -Gn)"
for name in libvirtd virtqemud; do command -v $name >/dev/null && echo "installed $name"; done
cd /run/libvirt && for name in libvirt virtqemud; do
  test -S $name-sock && echo "socket $name"
  test -w $name-sock && echo "open $name"
done
test -e /dev/kvm && echo "device kvm"
for name in vmx svm; do grep -qw $name /proc/cpuinfo && echo "processor $name"; done
exit 0
"""


@dataclass(frozen=True)
class Seen:
    """What was found: `time` in seconds since 1970 by the host's clock, `user` and their `groups`.

    `installed` are libvirt's daemons, `sockets` those at which one listens (libvirt, virtqemud), `open` those of them
    that the user may open, `processor` the features (vmx, svm) that the kernel shows, `kvm` whether there is /dev/kvm.
    """

    time: int
    user: str
    groups: frozenset[str]
    installed: frozenset[str]
    sockets: frozenset[str]
    open: frozenset[str]
    processor: frozenset[str]
    kvm: bool


def parse(told: str) -> Seen:
    """Read what the script wrote after its mark."""
    found: dict[str, list[str]] = {}
    for line in told.splitlines():
        key, _, words = line.partition(" ")
        found.setdefault(key, []).extend(words.split())
    time = found.get("time", [""])[0]
    return Seen(
        time=int(time) if time.isdecimal() else 0,
        user="".join(found.get("user", [])[:1]),
        groups=frozenset(found.get("groups", [])),
        installed=frozenset(found.get("installed", [])),
        sockets=frozenset(found.get("socket", [])),
        open=frozenset(found.get("open", [])),
        processor=frozenset(found.get("processor", [])),
        kvm="kvm" in found.get("device", []),
    )


def look_here() -> Seen:
    """Look around on this machine."""
    done = subprocess.run(
        ["/bin/sh", "-s"], input=SCRIPT, capture_output=True, text=True, timeout=LOOK_SECONDS, check=False
    )
    return parse(done.stdout)
