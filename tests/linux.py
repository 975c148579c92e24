"""A Linux guest that is up in seconds: Debian's installer's kernel and tools, and a program of the test's own."""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from tests.isos import NETBOOT
from tests.virsh import must_virsh, virsh

ENTRY = b"070701"
HEAD = 110
MODULES = (
    "virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_balloon",
    "virtio_console", "failover", "net_failover", "virtio_net", "virtio_blk",
)  # fmt: skip
TOOLS = ("", "bin", "sbin", "usr/bin", "usr/sbin", "lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu")
OURS = ("init", "proc", "sys", "dev")
# The program runs after this; $mac is the card's address.
INIT = """#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in {modules}; do insmod /modules/$module.ko; done 2>/dev/null
mac=$(cat /sys/class/net/eth0/address)
ip link set lo up; ip link set eth0 up
{program}
while :; do sleep 60; done
"""
LEASE = """
cat > /got <<'END'
#!/bin/sh
[ "$1" = bound ] && ip addr add $ip/24 dev eth0 && echo $ip > /ip
END
chmod +x /got; udhcpc -i eth0 -s /got -n -q
"""
# What libvirt asks an agent for: whether it is there, and its addresses. A bridge inside is told of too.
AGENT = r"""
card() { echo '{"name": "'$1'", "hardware-address": "'$2'", "ip-addresses": ['$3']}'; }
address() { echo '{"ip-address-type": "'$1'", "ip-address": "'$2'", "prefix": '$3'}'; }
lo=$(card lo 00:00:00:00:00:00 "$(address ipv4 127.0.0.1 8)")
six="$(address ipv6 fe80::1 64),$(address ipv6 2001:db8::7 64)"
eth0=$(card eth0 $mac "$six,$(address ipv4 10.99.0.7 24)")
docker0=$(card docker0 02:42:00:00:00:01 "$(address ipv4 172.17.0.1 16)")
exec 3<>/dev/$(ls /sys/class/virtio-ports)
while read -r line <&3; do
  case "$line" in
    *guest-sync*) id=${line##*:}; echo '{"return": '${id%%\}*}'}' >&3;;
    *) echo '{"return": ['$lo,$eth0,$docker0']}' >&3;;
  esac
done &
"""
DOMAIN = """
<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>128</memory><vcpu>{vcpus}</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><kernel>{kernel}</kernel><initrd>{initrd}</initrd>
<cmdline>console=ttyS0 quiet panic=1</cmdline></os><cpu mode='maximum'/>
<devices><serial type='pty'/><memballoon model='virtio'><stats period='2'/></memballoon>
{graphics}<interface type='network'><source network='default'/><mac address='{mac}'/><model type='virtio'/></interface>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>
"""
GRAPHICS = "<graphics type='vnc' autoport='yes' listen='127.0.0.1'/><video><model type='vga'/></video>"


@dataclass(frozen=True)
class LinuxGuest:
    name: str
    uuid: UUID
    mac: str


def entries(archive: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Name, mode and content of all that a cpio archive (newc) holds."""
    place = 0
    while archive[place : place + len(ENTRY)] == ENTRY:
        numbers = [int(archive[place + 6 + 8 * n : place + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = numbers[1], numbers[6], numbers[11]
        name = archive[place + HEAD : place + HEAD + length - 1].decode()
        place = -(-(place + HEAD + length) // 4) * 4
        yield name, mode, archive[place : place + size]
        place = -(-(place + size) // 4) * 4


def entry(name: str, mode: int, content: bytes = b"") -> bytes:
    path = name.encode() + b"\0"
    numbers = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0]
    head = ENTRY + b"".join(b"%08X" % number for number in numbers) + path
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


def initrd(program: str) -> bytes:
    """Debian's tools and the few modules that a virtual machine needs, with `program` for its init."""
    made = [entry(folder, 0o40755) for folder in ("modules", "proc", "sys", "dev")]
    for name, mode, content in entries(gzip.decompress((NETBOOT / "initrd.gz").read_bytes())):
        folder, _, file = name.rpartition("/")
        if "lib/modules/" in f"{name}/":
            module = file.removesuffix(".ko").replace("-", "_")
            if module in MODULES:
                made.append(entry(f"modules/{module}.ko", mode, content))
        elif (folder in TOOLS or name in TOOLS) and name not in OURS:
            made.append(entry(name, mode, content))
    script = INIT.format(modules=" ".join(MODULES), program=program)
    made += [entry("init", 0o100755, script.encode()), entry("TRAILER!!!", 0)]
    return gzip.compress(b"".join(made), 1)


@contextmanager
def linux_guest(name: str, program: str, *, vcpus: int = 1, screen: bool = False) -> Iterator[LinuxGuest]:
    """A running guest on the network `default`; it ends without a trace."""
    uuid = uuid4()
    mac = "52:54:00:" + ":".join(uuid.hex[n : n + 2] for n in (0, 2, 4))
    with tempfile.TemporaryDirectory(prefix="webvirt-linux-", dir="/var/tmp") as text:
        folder = Path(text)
        folder.chmod(0o755)
        (folder / "initrd").write_bytes(initrd(program))
        definition = folder / "guest.xml"
        definition.write_text(
            DOMAIN.format(
                name=name, uuid=uuid, mac=mac, vcpus=vcpus, kernel=NETBOOT / "linux", initrd=folder / "initrd",
                graphics=GRAPHICS if screen else "",
            )
        )  # fmt: skip
        must_virsh("create", str(definition))
        try:
            yield LinuxGuest(name, uuid, mac)
        finally:
            virsh("destroy", name)
