"""What libvirt says where a guest, a pool or a volume lacks something of its host, and what that means."""

from virt import errors
from virt.opening import Message
from virt.words import gettext_noop

_MAY_NOT_READ = (
    gettext_noop("QEMU may not read a file of this guest on the host."),
    gettext_noop(
        "QEMU's user there (libvirt-qemu, or qemu) has to be able to read the file named below, and to pass through "
        "every folder above it."
    ),
)

_OTHER_FORMAT = (
    gettext_noop("This file holds another image than the one that its pool knew."),
    gettext_noop("Refresh the pool, then look at what the volume is now."),
)
_FOLDER_GONE = (
    gettext_noop("The folder of the pool is not on the host."),
    gettext_noop("Make the folder that is named below again, or mount what lies there. Then start the pool."),
)

MESSAGES = (
    Message(
        ("qemu-img", "Could not open backing file", "No such file"),
        errors.OperationFailed,
        gettext_noop("This image is laid over another file, which is not on the host any more."),
        gettext_noop("Put the file that is named below back. Without it the image is worth nothing."),
    ),
    Message(("/qemu-img ", "Image is not in ", " format"), errors.OperationFailed, *_OTHER_FORMAT),
    Message(
        ("Cannot access ", " file '", "No such file"),
        errors.OperationFailed,
        gettext_noop("A disk or CD image of this guest is not on the host any more."),
        gettext_noop("Put the file that is named below back; or eject the CD, if it is that."),
    ),
    Message(("Cannot access ", " file '", "Permission denied"), errors.OperationFailed, *_MAY_NOT_READ),
    Message(("Could not open '", "Permission denied"), errors.OperationFailed, *_MAY_NOT_READ),
    Message(
        ("Image is not in ", " format"),
        errors.OperationFailed,
        gettext_noop("A disk of this guest has another format than its definition says."),
        gettext_noop("Look at what the file named below holds: qemu-img info tells it. Then correct the definition."),
    ),
    Message(
        ("no network with matching name",),
        errors.NotFound,
        gettext_noop("A network of this guest is not on the host any more."),
        gettext_noop("Make a network of the name that is said below."),
    ),
    Message(
        ("network '", "' is not active"),
        errors.InvalidState,
        gettext_noop("The network is not active."),
        gettext_noop("Start the network that is named below first."),
    ),
    Message(
        ("interface", "No such device"),
        errors.OperationFailed,
        gettext_noop("The host has no interface or bridge of the name that this guest's network card is put on."),
        gettext_noop("Make the one that is named below on the host, or put the card on a network that is there."),
    ),
    Message(
        ("Failed to reserve port",),
        errors.Busy,
        gettext_noop("The port of this guest's display is taken on the host."),
        gettext_noop("Shut down the guest that has the same port, or let libvirt choose one (autoport)."),
    ),
    Message(
        ("UNIX socket path '", "too long"),
        errors.OperationFailed,
        gettext_noop("The guest's name is too long for libvirt, which makes sockets that are called after it."),
        gettext_noop("Give it a shorter name. A Chinese character takes as much room as three Latin letters."),
    ),
    Message(("cannot open directory '", "No such file"), errors.OperationFailed, *_FOLDER_GONE),
    Message(("Failed to create file '", "No such file"), errors.OperationFailed, *_FOLDER_GONE),
)
