"""<domain>: a guest's definition."""

from enum import StrEnum

from virt.xml.base import Element
from virt.xml.fields import Child, Children, Choice, Flag, Int, Present, Size, Text


class VirtType(StrEnum):
    """What runs the guest's processor."""

    KVM = "kvm"
    QEMU = "qemu"
    TEST = "test"


class CpuMode(StrEnum):
    """Where the guest's CPU model comes from."""

    CUSTOM = "custom"
    HOST_MODEL = "host-model"
    HOST_PASSTHROUGH = "host-passthrough"
    MAXIMUM = "maximum"


class DiskDevice(StrEnum):
    """What the guest takes a disk for."""

    DISK = "disk"
    CDROM = "cdrom"
    FLOPPY = "floppy"
    LUN = "lun"


class DiskBus(StrEnum):
    """The bus that a disk hangs on."""

    VIRTIO = "virtio"
    SATA = "sata"
    SCSI = "scsi"
    IDE = "ide"
    USB = "usb"
    FDC = "fdc"
    SD = "sd"
    XEN = "xen"


class Address(Element):
    """<address>: where a device sits; kept, and moved with it, never made by us."""

    tag = "address"
    type = Text("@type")


class Source(Element):
    """<source> of a disk: a file, a block device or folder on the host, or a pool's volume."""

    tag = "source"
    file = Text("@file")
    dev = Text("@dev")
    dir = Text("@dir")
    pool = Text("@pool")
    volume = Text("@volume")

    @property
    def path(self) -> str | None:
        """The path on the host, where the source is given by one."""
        return self.file or self.dev or self.dir


class BackingStore(Element):
    """<backingStore>: the image that an image is laid over; empty at the end of a chain."""

    tag = "backingStore"
    format = Text("format/@type")
    source = Child("source", Source)

    @property
    def below(self) -> "BackingStore | None":
        """The next image down, or None."""
        node = self.node.find("backingStore")
        return None if node is None else BackingStore(node)


class Disk(Element):
    """<disk>: a disk, CD or floppy drive."""

    tag = "disk"
    type = Text("@type")
    device = Choice("@device", DiskDevice)
    driver = Text("driver/@name")
    format = Text("driver/@type")
    discard = Text("driver/@discard")
    source = Child("source", Source)
    backing = Child("backingStore", BackingStore)
    mirror = Child("mirror/source", Source)
    target = Text("target/@dev")
    bus = Choice("target/@bus", DiskBus)
    readonly = Present("readonly")
    shareable = Present("shareable")
    boot_order = Int("boot/@order")
    address = Child("address", Address)


class Filesystem(Element):
    """<filesystem>: a folder or an image of the host that a guest mounts, as containers do for their root."""

    tag = "filesystem"
    type = Text("@type")
    source = Child("source", Source)
    target = Text("target/@dir")
    readonly = Present("readonly")


class Interface(Element):
    """<interface>: a network card."""

    tag = "interface"
    type = Text("@type")
    mac = Text("mac/@address")
    network = Text("source/@network")
    bridge = Text("source/@bridge")
    source_dev = Text("source/@dev")
    target = Text("target/@dev")
    model = Text("model/@type")
    boot_order = Int("boot/@order")


class Graphics(Element):
    """<graphics>: a display server."""

    tag = "graphics"
    type = Text("@type")
    port = Int("@port")
    autoport = Flag("@autoport")
    listen = Text("@listen")
    socket = Text("listen/@socket")
    listen_address = Text("listen/@address")


class Video(Element):
    """<video>: a graphics card."""

    tag = "video"
    model = Text("model/@type")


class Channel(Element):
    """<channel>: a socket between host and guest, as the agent's."""

    tag = "channel"
    type = Text("@type")
    target_type = Text("target/@type")
    target_name = Text("target/@name")
    target_state = Text("target/@state")


class Serial(Element):
    """<serial>: a serial port."""

    tag = "serial"
    type = Text("@type")


class Console(Element):
    """<console>: the guest's text console."""

    tag = "console"
    type = Text("@type")
    target_type = Text("target/@type")


class Rng(Element):
    """<rng>: a source of random numbers."""

    tag = "rng"
    model = Text("@model")
    backend = Text("backend")
    backend_model = Text("backend/@model")


class Controller(Element):
    """<controller>: a bus of the guest's."""

    tag = "controller"
    type = Text("@type")
    index = Int("@index")
    model = Text("@model")
    ports = Int("@ports")


class Input(Element):
    """<input>: a mouse, tablet or keyboard."""

    tag = "input"
    type = Text("@type")
    bus = Text("@bus")


class Memballoon(Element):
    """<memballoon>: gives memory back to the host; `period` is how often, in seconds, it tells what the guest uses."""

    tag = "memballoon"
    model = Text("@model")
    period = Int("stats/@period")


class FirmwareFeature(Element):
    """<feature> of <firmware>: what the firmware that libvirt chooses shall have."""

    tag = "feature"
    name = Text("@name")
    enabled = Flag("@enabled")


class Domain(Element):
    """<domain>: sizes are bytes."""

    tag = "domain"
    type = Choice("@type", VirtType)
    name = Text("name")
    uuid = Text("uuid")
    title = Text("title")
    description = Text("description")
    memory_bytes = Size("memory", unit="KiB")
    current_memory_bytes = Size("currentMemory", unit="KiB")
    vcpus = Int("vcpu")
    firmware = Text("os/@firmware")
    arch = Text("os/type/@arch")
    machine = Text("os/type/@machine")
    os_type = Text("os/type")
    firmware_features = Children("os/firmware/feature", FirmwareFeature)
    loader = Text("os/loader")
    loader_type = Text("os/loader/@type")
    nvram = Text("os/nvram")
    init = Text("os/init")
    kernel = Text("os/kernel")
    initrd = Text("os/initrd")
    acpi = Present("features/acpi")
    apic = Present("features/apic")
    cpu_mode = Choice("cpu/@mode", CpuMode)
    cpu_model = Text("cpu/model")
    clock = Text("clock/@offset")
    on_poweroff = Text("on_poweroff")
    on_reboot = Text("on_reboot")
    on_crash = Text("on_crash")
    emulator = Text("devices/emulator")
    disks = Children("devices/disk", Disk)
    filesystems = Children("devices/filesystem", Filesystem)
    controllers = Children("devices/controller", Controller)
    interfaces = Children("devices/interface", Interface)
    serials = Children("devices/serial", Serial)
    consoles = Children("devices/console", Console)
    channels = Children("devices/channel", Channel)
    inputs = Children("devices/input", Input)
    graphics = Children("devices/graphics", Graphics)
    videos = Children("devices/video", Video)
    rngs = Children("devices/rng", Rng)
    memballoon = Child("devices/memballoon", Memballoon)
