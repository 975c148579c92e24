"""<capabilities> and <domainCapabilities>: what a host offers."""

from virt.xml.base import Element
from virt.xml.fields import Child, Children, Flag, Int, Text


class Machine(Element):
    """<machine>: a machine type; `canonical` is set where the name is an alias."""

    tag = "machine"
    name = Text("")
    canonical = Text("@canonical")
    max_cpus = Int("@maxCpus")


class GuestDomain(Element):
    """<domain> of a guest architecture: a virt type on offer (kvm, qemu…)."""

    tag = "domain"
    type = Text("@type")


class GuestArch(Element):
    """<arch> of a <guest>: what can be run of one architecture."""

    tag = "arch"
    name = Text("@name")
    emulator = Text("emulator")
    machines = Children("machine", Machine)
    domains = Children("domain", GuestDomain)


class Guest(Element):
    """<guest>: one kind of guest the host can run."""

    tag = "guest"
    os_type = Text("os_type")
    arch = Child("arch", GuestArch)


class Feature(Element):
    """<feature>: a feature of a CPU; its `policy` is "disable" where the CPU's model has it and the CPU has not."""

    tag = "feature"
    name = Text("@name")
    policy = Text("@policy")


class Cpu(Element):
    """<cpu> of the host."""

    tag = "cpu"
    arch = Text("arch")
    model = Text("model")
    vendor = Text("vendor")
    features = Children("feature", Feature)


class Capabilities(Element):
    """<capabilities>."""

    tag = "capabilities"
    host_uuid = Text("host/uuid")
    cpu = Child("host/cpu", Cpu)
    guests = Children("guest", Guest)

    def guest_arch(self, arch: str) -> GuestArch | None:
        """Return what the host offers for guests of this architecture."""
        for guest in self.guests:
            if guest.os_type == "hvm" and guest.arch is not None and guest.arch.name == arch:
                return guest.arch
        return None

    def virt_types(self, arch: str) -> list[str]:
        """Return the virt types on offer for an architecture, as `kvm` and `qemu`."""
        offered = self.guest_arch(arch)
        return [] if offered is None else [domain.type for domain in offered.domains if domain.type]

    def machines(self, arch: str) -> list[str]:
        """Return the machine types on offer for an architecture, aliases included."""
        offered = self.guest_arch(arch)
        return [] if offered is None else [machine.name for machine in offered.machines if machine.name]


class Value(Element):
    """<value> of an <enum>."""

    tag = "value"
    word = Text("")


class Enum(Element):
    """<enum>: the words a host takes for one attribute."""

    tag = "enum"
    name = Text("@name")
    values = Children("value", Value)


class Offer(Element):
    """A part of domainCapabilities: whether it is supported, and its enums."""

    tag = "offer"
    supported = Flag("@supported")
    enums = Children("enum", Enum)

    def words(self, name: str) -> list[str]:
        """Return the words that the enum `name` offers."""
        return [value.word for enum in self.enums if enum.name == name for value in enum.values if value.word]


class CpuModeOffer(Element):
    """<mode> of <cpu>: one way to choose the guest's CPU."""

    tag = "mode"
    name = Text("@name")
    supported = Flag("@supported")


class DomainCapabilities(Element):
    """<domainCapabilities>: what one emulator offers for one machine and virt type."""

    tag = "domainCapabilities"
    emulator = Text("path")
    virt_type = Text("domain")
    machine = Text("machine")
    arch = Text("arch")
    max_vcpus = Int("vcpu/@max")
    os = Child("os", Offer)
    cpu_modes = Children("cpu/mode", CpuModeOffer)
    disk = Child("devices/disk", Offer)
    graphics = Child("devices/graphics", Offer)
    video = Child("devices/video", Offer)
    rng = Child("devices/rng", Offer)

    @property
    def firmware(self) -> list[str]:
        """Firmware on offer besides BIOS, as `efi`."""
        return [] if self.os is None else self.os.words("firmware")

    @property
    def disk_buses(self) -> list[str]:
        """Disk buses on offer."""
        return [] if self.disk is None else self.disk.words("bus")

    @property
    def video_models(self) -> list[str]:
        """Graphics cards on offer."""
        return [] if self.video is None else self.video.words("modelType")

    @property
    def supported_cpu_modes(self) -> list[str]:
        """CPU modes on offer, as `host-passthrough`."""
        return [mode.name for mode in self.cpu_modes if mode.supported and mode.name]
