"""Starting a domain in another way than its definition says, for this once."""

from uuid import UUID

import libvirt

from virt.connection import Connection
from virt.errors import InvalidState, NotFound
from virt.translate import translated_errors
from virt.words import gettext_noop
from virt.xml.base import detach
from virt.xml.domain import Disk, DiskDevice, Domain


@translated_errors()
def start_from_cd(conn: Connection, uuid: UUID) -> None:
    """Start a persistent domain from its first CD drive that holds a medium (virDomainCreateXML).

    libvirt starts a defined domain with the definition that it is given here, and keeps the one that
    it has for the next start: nothing has to be put back, whatever happens meanwhile. Raises
    InvalidState where it runs, is transient or was saved, and NotFound where no drive holds a medium.
    """
    handle = conn.domain(uuid)
    if not handle.isPersistent():
        raise InvalidState(gettext_noop("The guest is gone when it ends, so it cannot be started another time."))
    if handle.isActive():
        raise InvalidState(gettext_noop("The guest is already running."))
    if handle.hasManagedSaveImage(0):
        # It would stay, and later be laid over disks that have changed since.
        raise InvalidState(
            gettext_noop("The guest's memory is saved, so its next start goes on from there."),
            hint=gettext_noop("Start it, or discard the saved memory first."),
        )
    # Without its secrets a display would lose its password for this run.
    domain = Domain.parse(handle.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    put_cd_first(domain)
    conn.handle.createXML(domain.to_xml(), 0)


def put_cd_first(domain: Domain) -> None:
    """Put the first CD drive with a medium before all that the domain boots from; NotFound where there is none."""
    drive = next((disk for disk in domain.disks if disk.device is DiskDevice.CDROM and _holds(disk)), None)
    if drive is None:
        raise NotFound(
            gettext_noop("None of the guest's CD drives holds an image."),
            hint=gettext_noop("Put an image into one first."),
        )
    ordered = [node for node in domain.node.iter("boot") if node.get("order")]
    for node in ordered:
        node.set("order", str(int(node.get("order", "0")) + 1))
    if not ordered:
        # The other way to say it, by kinds of device, cannot stand beside orders.
        for node in domain.node.findall("os/boot"):
            detach(node)
        for order, disk in enumerate(
            (disk for disk in domain.disks if disk.device in (None, DiskDevice.DISK)), start=2
        ):
            disk.boot_order = order
    drive.boot_order = 1


def _holds(disk: Disk) -> bool:
    return disk.source is not None
