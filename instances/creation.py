"""Creating a guest on its host: looked at again there, journalled step by step, and undone where a step fails."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Ref
from hosts.connections import connect, host_of, settled
from hosts.models import HostStatus
from instances.bringing import bring
from instances.half_made import undo
from instances.models import Instance
from tasks.context import Context
from tasks.errors import JobFailed
from tasks.registry import job
from virt import domains, hosts, metadata, storage
from virt.connection import Connection
from virt.definition import LOOPBACK, DiskSpec, GuestSpec, NicSpec, build
from virt.errors import NotFound, PartAway, Unreachable, VirtError
from virt.transport import endpoint
from virt.xml.capabilities import Capabilities, DomainCapabilities
from virt.xml.domain import CpuMode, DiskBus, VirtType
from virt.xml.storage import Volume
from webvirt.units import size


@job("instances.create", undo=undo)
def create(context: Context) -> dict[str, Any]:
    """Make the disks, define the domain, and start it if asked."""
    wanted = context.arguments
    guest = context.uuid
    require_no_maintenance(context.host_id)
    with connect(context.host_id) as conn:
        look_before(conn, wanted)
        cdrom = image_path(conn, wanted["cdrom"]) if wanted["cdrom"] else None
        old = {place: bring(conn, disk) for place, disk in enumerate(wanted["disks"]) if disk["existing"]}
        disks = [old.get(place) or make_disk(context, conn, disk) for place, disk in enumerate(wanted["disks"])]
        context.check()
        context.progress(None, _("defining the guest"), now=True)
        context.make(what="domain", uuid=str(guest))
        domains.define(conn, definition(conn, context, guest, disks, cdrom))
        if old:
            metadata.mark_brought(conn, guest, [disk.path for disk in old.values()])
        if wanted["start"]:
            context.progress(None, _("starting the guest"), now=True)
            domains.start(conn, guest)
    pools = {disk["pool"] for disk in wanted["disks"] if not disk["existing"]}
    settled(
        context, context.ref, *(Ref("pool", context.host_id, UUID(pool)) for pool in pools), result={"uuid": str(guest)}
    )
    row = Instance.objects.filter(host_id=context.host_id, uuid=guest).first()
    return {"instance": row.pk if row else None, "uuid": str(guest)}


def require_no_maintenance(host_id: int) -> None:
    """Raise JobFailed where an administrator has closed the host since the guest was asked for."""
    host = host_of(host_id)
    if host.maintenance:
        raise JobFailed(
            gettext_noop("The host is in maintenance"),
            gettext_noop("%(host)s is in maintenance and takes no new guests."),
            hint=gettext_noop("It began before this one's turn came; nothing was made. Choose another host, or wait."),
            params={"host": host.name},
        )


def look_before(conn: Connection, wanted: dict[str, Any]) -> None:
    """Raise JobFailed where a name is taken or there is no room, as the host sees it now."""
    if domains.name_taken(conn, wanted["name"]):
        raise JobFailed(
            gettext_noop("The name is taken"),
            gettext_noop("The host has a guest named %(name)s already."),
            hint=gettext_noop("Choose another name."),
            params={"name": wanted["name"]},
        )
    asked: dict[str, int] = defaultdict(int)
    for disk in (disk for disk in wanted["disks"] if not disk["existing"]):
        asked[disk["pool"]] += disk["size_bytes"]
        words = {"pool": disk["pool_name"], "volume": disk["volume"]}
        if storage.volume_exists(conn, UUID(disk["pool"]), disk["volume"]):
            raise JobFailed(
                gettext_noop("The name is taken"),
                gettext_noop("The pool %(pool)s has a volume %(volume)s already."),
                hint=gettext_noop("Choose another name for the guest, or delete that volume."),
                params=words,
            )
        free = storage.free_bytes(conn, UUID(disk["pool"]))
        if asked[disk["pool"]] > free:
            raise JobFailed(
                gettext_noop("Not enough room"),
                gettext_noop("The pool %(pool)s has %(free)s free, which is less than the disks need."),
                hint=gettext_noop("Free some room there, choose another pool, or make the disks smaller."),
                params={**words, "free": size(free)},
            )


def image_path(conn: Connection, image: dict[str, Any]) -> str:
    """An image's path on the host. Raises JobFailed where it is not there any more."""
    try:
        return storage.describe_volume(conn, UUID(image["pool"]), image["volume"]).path
    except NotFound:
        raise JobFailed(
            gettext_noop("The image is not there"),
            gettext_noop("The host has no image %(volume)s in its pool any more."),
            hint=gettext_noop("Choose another image, or upload it again."),
            params={"volume": image["volume"]},
        )


def make_disk(context: Context, conn: Connection, disk: dict[str, Any]) -> DiskSpec:
    """Journal a volume, then make it."""
    context.check()
    context.progress(None, _("making the disk %(volume)s") % {"volume": disk["volume"]}, now=True)
    entry = {
        "what": "volume",
        "pool": disk["pool"],
        "name": disk["volume"],
        "capacity": str(disk["size_bytes"]),
    }
    volume = Volume(name=disk["volume"], capacity_bytes=disk["size_bytes"], allocation_bytes=0, format=disk["format"])
    context.make(**entry)
    try:
        made = storage.create_volume(conn, UUID(disk["pool"]), volume)
    except VirtError as error:
        # Where the connection broke it may be there: the journal keeps it. Else libvirt made nothing, and what bears
        # this name is somebody else's.
        if isinstance(error, PartAway) or not isinstance(error, Unreachable):
            context.unmake(**entry)
        raise
    return DiskSpec(path=made.path, format=disk["format"], bus=DiskBus(disk["bus"]))


def definition(conn: Connection, context: Context, guest: UUID, disks: list[DiskSpec], cdrom: str | None) -> Any:
    wanted = context.arguments
    status = HostStatus.objects.select_related("host").get(host_id=context.host_id)
    # Over TCP and TLS a display on the host's loopback cannot be reached: whether it listens elsewhere is the host's
    # own decision (vnc_listen in its qemu.conf).
    listen = "" if endpoint(status.host.uri).transport in ("tcp", "tls") else LOOPBACK
    virt_type = wanted["virt_type"] or chosen_virt_type(status)
    spec = GuestSpec(
        uuid=guest,
        name=wanted["name"],
        vcpus=wanted["vcpus"],
        memory_bytes=wanted["memory_bytes"],
        virt_type=VirtType(virt_type),
        cpu=CpuMode(wanted["cpu"]) if wanted["cpu"] else None,
        arch=status.arch,
        firmware=wanted["firmware"],
        machine=wanted["machine"],
        disks=tuple(disks),
        cdrom=cdrom,
        networks=tuple(NicSpec(card["network"], card["model"]) for card in wanted["networks"]),
        video=wanted["video"],
        listen=listen,
    )
    return build(spec, domain_capabilities(conn, status, wanted["machine"], virt_type))


def chosen_virt_type(status: HostStatus) -> str:
    """KVM where the monitor found that it is of use, else what the host emulates with."""
    if status.kvm:
        return VirtType.KVM
    offered = Capabilities.parse(status.capabilities_xml).virt_types(status.arch)
    return next((word for word in offered if word != VirtType.KVM), VirtType.QEMU)


def domain_capabilities(
    conn: Connection, status: HostStatus, machine: str, virt_type: str
) -> DomainCapabilities | None:
    """The host's for this machine and virt type: those last seen where they are of these, else asked for."""
    known = DomainCapabilities.parse(status.domcapabilities_xml) if status.domcapabilities_xml else None
    if known is None or (known.virt_type == virt_type and machine in ("", known.machine)):
        return known
    text = hosts.domain_capabilities(conn, status.arch, machine or known.machine or "", virt_type == VirtType.KVM)
    return DomainCapabilities.parse(text) if text else None
