"""What a host is, and how busy it is."""

from dataclasses import dataclass

import libvirt

from virt.connection import Connection
from virt.errors import if_supported
from virt.translate import translated_errors
from virt.words import gettext_noop
from virt.xml.capabilities import Capabilities, Cpu

_QEMU = "QEMU"
_KIB = 1024
_X86 = ("x86_64", "i686")
_HARDWARE_FEATURES = ("vmx", "svm")


@dataclass(frozen=True)
class Acceleration:
    """Whether guests should run by KVM, and why (a text to translate)."""

    kvm: bool
    reason: str


@dataclass(frozen=True)
class HostFacts:
    """A host as libvirt describes it.

    Versions are written 9.0.0. `domcapabilities_xml` is empty where the driver has none; it is that
    of the virt type to choose and of `machine`, the machine type to choose. `kvm_reason` is a text
    to translate, "" where the driver is not QEMU's. `host_uuid` is the machine's, "" where the driver tells none.
    """

    hostname: str
    host_uuid: str
    driver: str
    libvirt_version: str
    hypervisor_version: str
    arch: str
    cpus: int
    cpu_model: str
    memory_bytes: int
    machine: str
    kvm: bool
    kvm_reason: str
    capabilities_xml: str
    domcapabilities_xml: str


@dataclass(frozen=True)
class CpuTimes:
    """Counters of all the host's CPUs together, in nanoseconds since its start."""

    user_ns: int
    kernel_ns: int
    idle_ns: int
    iowait_ns: int

    @property
    def busy_ns(self) -> int:
        """The time in which the CPUs worked."""
        return self.user_ns + self.kernel_ns

    @property
    def total_ns(self) -> int:
        """All the time there was."""
        return self.busy_ns + self.idle_ns + self.iowait_ns


@dataclass(frozen=True)
class HostFigures:
    """How busy a host is; `cpu` is None where the driver does not count.

    `memory_free_bytes` is what programs could get: free memory, buffers and cache.
    """

    cpu: CpuTimes | None
    memory_total_bytes: int
    memory_free_bytes: int


@translated_errors()
def describe(conn: Connection) -> HostFacts:
    """Return what the host is and offers.

    (virConnectGetCapabilities, virConnectGetDomainCapabilities, virConnectBaselineCPU,
    virNodeGetInfo, virConnectGetHostname, virConnectGetVersion)
    """
    handle = conn.handle
    capabilities_xml: str = handle.getCapabilities()
    capabilities = Capabilities.parse(capabilities_xml)
    model, _, cpus = handle.getInfo()[:3]
    cpu = capabilities.cpu
    arch = (cpu.arch if cpu else None) or model
    qemu = conn.driver == _QEMU
    acceleration = choose_acceleration(conn, capabilities, arch) if qemu else Acceleration(False, "")
    machine = preferred_machine(capabilities, arch)
    return HostFacts(
        hostname=handle.getHostname(),
        host_uuid=capabilities.host_uuid or "",
        driver=conn.driver,
        libvirt_version=version(conn.lib_version),
        hypervisor_version=version(handle.getVersion()),
        arch=arch,
        cpus=cpus,
        cpu_model=(cpu.model if cpu else None) or model,
        # virNodeGetInfo leaves out memory that was plugged in later.
        memory_bytes=_memory(conn)[0],
        machine=machine,
        kvm=acceleration.kvm,
        kvm_reason=acceleration.reason,
        capabilities_xml=capabilities_xml,
        domcapabilities_xml=domain_capabilities(conn, arch, machine, acceleration.kvm) if qemu else "",
    )


def domain_capabilities(conn: Connection, arch: str, machine: str, kvm: bool) -> str:
    """Return the <domainCapabilities> document, "" where the driver has none.

    (virConnectGetDomainCapabilities; the emulator is libvirt's choice for the architecture.)
    """

    @translated_errors()
    def ask() -> str:
        found: str = conn.handle.getDomainCapabilities(None, arch, machine or None, "kvm" if kvm else "qemu")
        return found

    return if_supported(ask) or ""


def preferred_machine(capabilities: Capabilities, arch: str) -> str:
    """Return q35 where it is offered, virt on ARM and RISC-V, else "" for libvirt's default."""
    offered = capabilities.machines(arch)
    return next((machine for machine in ("q35", "virt") if machine in offered), "")


def choose_acceleration(conn: Connection, capabilities: Capabilities, arch: str) -> Acceleration:
    """Say whether KVM is to be chosen here, and why.

    On x86 the CPU must show vmx or svm besides: a host without them still offers KVM, and guests
    crawl. The features are looked up expanded (virConnectBaselineCPU), since libvirt hides those
    that the CPU's model implies.
    """
    if "kvm" not in capabilities.virt_types(arch):
        return Acceleration(False, gettext_noop("This host does not offer KVM, so QEMU emulates the processor."))
    if arch not in _X86:
        return Acceleration(True, gettext_noop("This host offers KVM."))
    if shows_hardware(conn, capabilities):
        return Acceleration(True, gettext_noop("This host offers KVM, and its processor supports it."))
    return Acceleration(
        False,
        gettext_noop(
            "This host offers KVM, but its processor shows neither vmx nor svm, so QEMU emulates the processor."
        ),
    )


def shows_hardware(conn: Connection, capabilities: Capabilities) -> bool:
    """Whether the host's CPU has vmx or svm (virConnectBaselineCPU)."""
    cpu = capabilities.cpu
    if cpu is None:
        return False

    @translated_errors()
    def expand() -> str:
        flags = libvirt.VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES
        found: str = conn.handle.baselineCPU([cpu.to_xml()], flags)
        return found

    # A driver in memory has a CPU without a model, which cannot be expanded.
    expanded = if_supported(expand) if cpu.model else None
    return has_hardware(cpu if expanded is None else Cpu.parse(expanded))


def has_hardware(cpu: Cpu) -> bool:
    """Whether vmx or svm is among its features; libvirt also lists those of the model that the CPU has not."""
    return any(feature.name in _HARDWARE_FEATURES and feature.policy != "disable" for feature in cpu.features)


@translated_errors()
def figures(conn: Connection) -> HostFigures:
    """Return how busy the host is (virNodeGetCPUStats, virNodeGetMemoryStats or virNodeGetFreeMemory)."""
    memory = _memory(conn)
    return HostFigures(cpu=_cpu_times(conn), memory_total_bytes=memory[0], memory_free_bytes=memory[1])


def _cpu_times(conn: Connection) -> CpuTimes | None:
    @translated_errors()
    def read() -> dict[str, int]:
        found: dict[str, int] = conn.handle.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
        return found

    times = if_supported(read)
    if times is None:
        return None
    return CpuTimes(
        user_ns=times.get("user", 0),
        kernel_ns=times.get("kernel", 0),
        idle_ns=times.get("idle", 0),
        iowait_ns=times.get("iowait", 0),
    )


def _memory(conn: Connection) -> tuple[int, int]:
    @translated_errors()
    def read() -> dict[str, int]:
        found: dict[str, int] = conn.handle.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        return found

    stats = if_supported(read)
    if stats is None:
        return conn.handle.getInfo()[1] * _KIB * _KIB, conn.handle.getFreeMemory()
    free = stats["free"] + stats.get("buffers", 0) + stats.get("cached", 0)
    return stats["total"] * _KIB, free * _KIB


def version(number: int) -> str:
    """A version as libvirt counts it, written 9.0.0."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
