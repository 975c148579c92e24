"""<device>: what is built into a host, or plugged into it."""

from virt.xml.base import Element
from virt.xml.fields import Children, Int, Text


class MdevType(Element):
    """<type> of the capability mdev_types: one way to divide a device; `available` is how many more can be made."""

    tag = "type"
    id = Text("@id")
    name = Text("name")
    available = Int("availableInstances")


class NodeDevice(Element):
    """<device>. It has one capability, and each kind of that has fields of its own: the others are None.

    Numbers of PCI's and USB's places are as they are written, in decimal. `size_bytes` is of a disk.
    """

    tag = "device"
    name = Text("name")
    parent = Text("parent")
    driver = Text("driver/name")
    kind = Text("capability/@type")
    vendor = Text("capability/vendor")
    vendor_id = Text("capability/vendor/@id")
    product = Text("capability/product")
    product_id = Text("capability/product/@id")
    domain = Int("capability/domain")
    bus = Text("capability/bus")
    slot = Int("capability/slot")
    function = Int("capability/function")
    number = Int("capability/device")
    iommu_group = Int("capability/iommuGroup/@number")
    interface = Text("capability/interface")
    mac = Text("capability/address")
    link = Text("capability/link/@state")
    block = Text("capability/block")
    drive_type = Text("capability/drive_type")
    model = Text("capability/model")
    serial = Text("capability/serial")
    size_bytes = Int("capability/size")
    scsi_host = Int("capability/host")
    mdev_types = Children("capability/capability/type", MdevType)
