"""What libvirt on the host tells of itself: versions, acceleration, storage, networks, memory."""

from collections.abc import Callable, Container, Generator
from dataclasses import replace
from shlex import quote
from urllib.parse import urlsplit

from virt import hosts, interfaces, networks, storage
from virt.checklist.asking import Asked
from virt.checklist.line import Budget, Line, State, by_system, of_error, ok
from virt.checklist.seen import Seen
from virt.connection import Connection
from virt.errors import PartAway, TimedOut, Unreachable, VirtError
from virt.hosts import HostFigures
from virt.translate import translated_errors
from virt.words import gettext_noop
from virt.xml.capabilities import Capabilities

ASK_SECONDS = 5.0
# libvirt's first look at a host runs each QEMU binary that is installed there.
FIRST_SECONDS = 20.0
OLDEST_LIBVIRT = 6_000_000
LITTLE_BYTES = 512 * 1024**2
DEFAULT = "default"
_X86 = ("x86_64", "i686")
_VIRSH = "virsh -c qemu:///system"
_MODULES = {"Intel": "kvm_intel", "AMD": "kvm_amd"}


def lines(asked: Asked, seen: Seen | None, names: Container[str], budget: Budget) -> Generator[Line, None, bool]:
    """The lines among `names` that libvirt answers; whether the connection stands after them."""
    steps: tuple[tuple[str, float, Callable[[Connection], Line]], ...] = (
        ("versions", FIRST_SECONDS, _versions),
        ("kvm", FIRST_SECONDS, lambda conn: _kvm(conn, seen)),
        ("pool", ASK_SECONDS, _pool),
        ("network", ASK_SECONDS, _network),
        ("memory", ASK_SECONDS, lambda conn: memory(hosts.figures(conn))),
    )
    for name, seconds, look in (step for step in steps if step[0] in names):
        try:
            yield of_own(asked.connection, asked.ask(budget.at_most(seconds), look))
        except VirtError as error:
            yield unanswered(name, error)
            if isinstance(error, TimedOut) or not asked.connection.is_alive():
                return False
    return True


def of_own(conn: Connection, line: Line) -> Line:
    """The line without a command where it is about one user's own libvirt: those are for root's, the system's."""
    own = line.name in ("pool", "network") and urlsplit(conn.uri).path == "/session"
    return replace(line, command="", where="") if own else line


def unanswered(name: str, error: VirtError) -> Line:
    """What libvirt could not answer; of modular daemons each may be away by itself."""
    if isinstance(error, PartAway):
        return Line(
            name,
            State.FAILED,
            gettext_noop("%(daemon)s does not run"),
            gettext_noop("It is the one of libvirt's modular daemons that answers for this."),
            command="systemctl enable --now {daemon}.socket".format(**error.params),
            where="host",
            params=error.params,
            libvirt=error.libvirt,
        )
    if name == "versions" and not isinstance(error, Unreachable):
        return no_qemu(error.libvirt)
    return of_error(name, error)


def no_qemu(said: str) -> Line:
    return Line(
        "versions",
        State.FAILED,
        gettext_noop("QEMU is not found"),
        gettext_noop("libvirt answers, but has no QEMU that it could start guests with."),
        command=by_system("apt-get install qemu-system", "dnf install qemu-kvm"),
        where="host",
        libvirt=said,
    )


def _versions(conn: Connection) -> Line:
    @translated_errors()
    def ask() -> int:
        found: int = conn.handle.getVersion()
        return found

    return versions(conn.lib_version, conn.driver, ask())


def versions(libvirt: int, driver: str, hypervisor: int) -> Line:
    """The versions, as libvirt counts them."""
    params = {"libvirt": hosts.version(libvirt), "driver": driver, "hypervisor": hosts.version(hypervisor)}
    if libvirt >= OLDEST_LIBVIRT:
        return ok("versions", gettext_noop("libvirt %(libvirt)s with %(driver)s %(hypervisor)s"), **params)
    return Line(
        "versions",
        State.FAILED,
        gettext_noop("libvirt %(libvirt)s is too old"),
        gettext_noop("Webvirt needs libvirt %(oldest)s or newer on its hosts."),
        gettext_noop("Update the host's system to one that is still maintained."),
        command=by_system("apt-get update && apt-get install libvirt-daemon-system", "dnf upgrade libvirt"),
        where="host",
        params={**params, "oldest": hosts.version(OLDEST_LIBVIRT)},
    )


@translated_errors()
def _kvm(conn: Connection, seen: Seen | None) -> Line:
    capabilities = Capabilities.parse(conn.handle.getCapabilities())
    cpu = capabilities.cpu
    arch = (cpu.arch if cpu else None) or conn.handle.getInfo()[0]
    return kvm(
        offered="kvm" in capabilities.virt_types(arch),
        arch=arch,
        vendor=(cpu.vendor if cpu else None) or "",
        # What the kernel shows is true; without it libvirt's own look at the CPU is.
        capable=bool(seen.processor) if seen else hosts.shows_hardware(conn, capabilities),
        device=seen.kvm if seen else None,
    )


def kvm(*, offered: bool, arch: str, vendor: str, capable: bool, device: bool | None) -> Line:
    """Whether guests run on the processor itself.

    `offered`: libvirt offers KVM; `capable`: the CPU shows vmx or svm; `device`: there is /dev/kvm, None where that
    is not known.
    """
    x86 = arch in _X86
    if not x86:
        capable = offered or device is not False
    if offered and capable:
        return ok("kvm", gettext_noop("guests run on the processor itself"))
    slow = gettext_noop("Without KVM guests are emulated: they run, but many times slower.")
    if not capable:
        return Line(
            "kvm",
            State.WARNING,
            gettext_noop("the processor shows neither vmx nor svm") if x86 else gettext_noop("there is no KVM"),
            slow,
            gettext_noop(
                "Switch virtualisation (Intel VT-x, AMD-V) on in the machine's firmware setup. If the host is itself "
                "a virtual machine, have nested virtualisation given to it."
            ),
            command="grep -cwE 'vmx|svm' /proc/cpuinfo" if x86 else "ls -l /dev/kvm",
            where="host",
        )
    if device:
        return Line(
            "kvm",
            State.WARNING,
            gettext_noop("/dev/kvm is there, and libvirt does not offer it"),
            slow,
            gettext_noop("QEMU's user may be unable to open it, or libvirt has not looked since it appeared."),
            command="chgrp kvm /dev/kvm; chmod 660 /dev/kvm; systemctl restart libvirtd",
            where="host",
        )
    module = _MODULES.get(vendor, "kvm")
    return Line(
        "kvm",
        State.WARNING,
        gettext_noop("/dev/kvm is missing"),
        gettext_noop(
            "Without KVM guests are emulated: they run, but many times slower. The processor can do it; the kernel's "
            "module is not loaded."
        ),
        gettext_noop("If it answers “Operation not supported”, virtualisation is off in the machine's firmware setup."),
        command=f"modprobe {module} && systemctl restart libvirtd",
        where="host",
    )


def _pool(conn: Connection) -> Line:
    pools = storage.list_pools(conn)
    active = sorted((pool for pool in pools if pool.active), key=lambda pool: (pool.name != DEFAULT, pool.name))
    if active:
        facts = storage.describe_pool(conn, active[0].uuid)
        title = gettext_noop("pool %(name)s, %(free_bytes)s free")
        return ok("pool", title, name=facts.name, free_bytes=str(facts.available_bytes))
    if pools:
        name = min(pools, key=lambda pool: pool.name != DEFAULT).name
        return Line(
            "pool",
            State.WARNING,
            gettext_noop("the pool %(name)s is stopped"),
            gettext_noop("New guests have no place for their disks until a pool is started."),
            command=f"{_VIRSH} pool-start {quote(name)} && {_VIRSH} pool-autostart {quote(name)}",
            where="host",
            params={"name": name},
        )
    return Line(
        "pool",
        State.WARNING,
        gettext_noop("there is no pool"),
        gettext_noop("New guests have no place for their disks."),
        gettext_noop("A pool can be made on the page Storage as well, once the host is connected."),
        command=(
            f"{_VIRSH} pool-define-as default dir --target /var/lib/libvirt/images && {_VIRSH} pool-build default && "
            f"{_VIRSH} pool-start default && {_VIRSH} pool-autostart default"
        ),
        where="host",
    )


def _network(conn: Connection) -> Line:
    found = networks.list_networks(conn)
    active = sorted((one for one in found if one.active), key=lambda one: (one.name != DEFAULT, one.name))
    if active:
        return ok("network", gettext_noop("network %(name)s"), name=active[0].name)
    bridge = _bridge(conn)
    if bridge:
        return ok("network", gettext_noop("bridge %(name)s"), name=bridge)
    if found:
        name = min(found, key=lambda one: one.name != DEFAULT).name
        return Line(
            "network",
            State.WARNING,
            gettext_noop("the network %(name)s is stopped"),
            gettext_noop("New guests have no network until one is started."),
            command=f"{_VIRSH} net-start {quote(name)} && {_VIRSH} net-autostart {quote(name)}",
            where="host",
            params={"name": name},
        )
    return Line(
        "network",
        State.WARNING,
        gettext_noop("there is no network"),
        gettext_noop("New guests have no network: libvirt knows of none, and tells of no bridge."),
        gettext_noop("A network can be made on the page Networks as well, once the host is connected."),
        command=(
            f"{_VIRSH} net-define /usr/share/libvirt/networks/default.xml && {_VIRSH} net-start default && "
            f"{_VIRSH} net-autostart default"
        ),
        where="host",
    )


def _bridge(conn: Connection) -> str:
    """The name of a bridge of the host, "" where none is told of."""
    try:
        return next((one.name for one in interfaces.list_interfaces(conn) if one.type == "bridge"), "")
    except PartAway:
        return ""


def memory(figures: HostFigures) -> Line:
    params = {"free_bytes": str(figures.memory_free_bytes), "total_bytes": str(figures.memory_total_bytes)}
    if figures.memory_free_bytes >= LITTLE_BYTES:
        return ok("memory", gettext_noop("%(free_bytes)s of %(total_bytes)s free"), **params)
    return Line(
        "memory",
        State.WARNING,
        gettext_noop("only %(free_bytes)s of %(total_bytes)s free"),
        gettext_noop("Another guest would hardly find room."),
        gettext_noop("Shut down guests that are not needed. This shows which programs take most:"),
        command="ps -eo rss,comm --sort=-rss | head",
        where="host",
        params=params,
    )
