"""libvirt's errors, translated once, here, into the family of virt.errors.

libvirt's codes are coarse (one code for "not running" and "already running"), so that its message
decides where the code does not. Messages are never localised by us: libvirt speaks the locale of
the process, which is C.UTF-8 everywhere in Webvirt.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from virt import errors, opening, starting
from virt.opening import Message
from virt.words import gettext_noop


def _said(fragment: str, kind: type[errors.VirtError], detail: str = "", hint: str = "") -> Message:
    return Message((fragment,), kind, detail, hint)


_QEMU_ENDED = (
    gettext_noop("QEMU ended while it started this guest."),
    gettext_noop(
        "What QEMU said is below. It often names a device or an option of the guest that this host cannot give."
    ),
)

# Looked at before the code, since libvirt gives all of these a general one.
_MESSAGES = (
    *opening.MESSAGES,
    *starting.MESSAGES,
    _said("keepalive timeout", errors.TimedOut),
    _said("No space left on device", errors.NoRoom),
    _said("Disk quota exceeded", errors.NoRoom),
    _said("Not enough free space", errors.NoRoom),
    _said(
        "annot allocate memory",
        errors.NoRoom,
        gettext_noop("The host has not enough free memory."),
        gettext_noop("Give the guest less memory, or shut down another guest."),
    ),
    _said(
        'Failed to get "write" lock',
        errors.Busy,
        gettext_noop("Another process on the host is using this disk image."),
        gettext_noop("Shut down the guest that uses it, or give this guest another disk."),
    ),
    _said(
        "cannot acquire state change lock",
        errors.Busy,
        gettext_noop("The guest is busy with another operation."),
    ),
    _said(
        "is locked and force was not specified",
        errors.Busy,
        gettext_noop("The guest holds the drive locked."),
        gettext_noop("Eject the medium inside the guest first, or force it."),
    ),
    _said(
        "resize a v2 image which has snapshots",
        errors.InvalidState,
        gettext_noop("This image is of an older version of qcow2, in which none grows that has snapshots."),
        gettext_noop("Delete its snapshots, or give it the newer version: qemu-img amend -o compat=1.1 FILE."),
    ),
    _said("polkit", errors.Denied),
    # Said by a libvirt that is older than the event.
    _said("unsupported event ID", errors.Unsupported),
    _said("already exists", errors.AlreadyExists),
    _said("' already in use", errors.AlreadyExists),
    _said(
        "source conflict with pool",
        errors.AlreadyExists,
        gettext_noop("Another pool already uses this place on the host."),
        gettext_noop("Use that pool, or choose another place."),
    ),
    _said(
        "Network is already in use by interface",
        errors.AlreadyExists,
        gettext_noop("An interface of the host already uses these addresses."),
        gettext_noop("Choose other addresses for the network."),
    ),
    _said("in use by", errors.Busy),
    *(
        _said(
            fragment,
            errors.Busy,
            gettext_noop("This volume is being copied, downloaded or filled just now."),
            gettext_noop("Wait until that has ended, then try again."),
        )
        for fragment in ("' is still in use", "' is still being allocated")
    ),
    _said("guest unexpectedly quit", errors.InvalidState, gettext_noop("The guest ended meanwhile.")),
    _said("domain is not running", errors.InvalidState, gettext_noop("The guest is not running.")),
    _said("is already running", errors.InvalidState, gettext_noop("The guest is already running.")),
    _said("is already active", errors.InvalidState, gettext_noop("It is already active.")),
    _said("is not active", errors.InvalidState, gettext_noop("It is not active.")),
    # Where nothing more is known of why.
    *(_said(fragment, errors.OperationFailed, *_QEMU_ENDED) for fragment in ("closed the monitor", "to monitor: ")),
)

_CODES: dict[type[errors.VirtError], tuple[str, ...]] = {
    errors.NotFound: (
        "NO_DOMAIN",
        "NO_NETWORK",
        "NO_STORAGE_POOL",
        "NO_STORAGE_VOL",
        "NO_SECRET",
        "NO_NODE_DEVICE",
        "NO_INTERFACE",
        "NO_NWFILTER",
        "NO_DOMAIN_SNAPSHOT",
        "NO_DOMAIN_CHECKPOINT",
        "NO_DOMAIN_METADATA",
        "DEVICE_MISSING",
    ),
    errors.AlreadyExists: ("DOM_EXIST", "NETWORK_EXIST", "STORAGE_VOL_EXIST", "STORAGE_POOL_BUILT"),
    errors.Busy: ("RESOURCE_BUSY", "OPERATION_TIMEOUT", "BLOCK_COPY_ACTIVE"),
    errors.InvalidState: ("OPERATION_INVALID",),
    errors.Unsupported: (
        "NO_SUPPORT",
        "OPERATION_UNSUPPORTED",
        "CONFIG_UNSUPPORTED",
        "ARGUMENT_UNSUPPORTED",
    ),
    errors.InvalidDefinition: ("XML_ERROR", "XML_DETAIL", "XML_INVALID_SCHEMA", "INVALID_MAC", "OS_TYPE"),
    errors.Denied: ("OPERATION_DENIED", "ACCESS_DENIED", "AUTH_UNAVAILABLE"),
    errors.PasswordRefused: ("AUTH_FAILED", "AUTH_CANCELLED"),
    errors.Unreachable: ("NO_CONNECT", "INVALID_CONN", "NO_SERVER", "UNKNOWN_HOST", "RPC"),
    errors.NoRoom: ("NO_MEMORY",),
}

_BY_CODE: dict[int, type[errors.VirtError]] = {
    getattr(libvirt, f"VIR_ERR_{name}"): kind for kind, names in _CODES.items() for name in names
}

# Raised on our side of the wire only: the transport itself failed.
_TRANSPORT_DOMAINS = (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE)
_TRANSPORT_CODES = (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR)


def translate(error: libvirt.libvirtError) -> errors.VirtError:
    """Return the VirtError that says what libvirt's error means."""
    code: int | None = error.get_error_code()
    message = str(error.get_error_message() or error)
    if known := opening.part_away(message) or opening.text_instead_of_an_answer(message):
        known.libvirt, known.libvirt_code = message, code
        return known
    for said in _MESSAGES:
        if said.fits(message):
            return said.kind(said.detail, hint=said.hint, libvirt=message, libvirt_code=code)
    return _kind_of(error, code)(libvirt=message, libvirt_code=code)


def _kind_of(error: libvirt.libvirtError, code: int | None) -> type[errors.VirtError]:
    if code == libvirt.VIR_ERR_SYSTEM_ERROR and error.get_int1() == errno.ENOSPC:
        return errors.NoRoom
    if code in _TRANSPORT_CODES and error.get_error_domain() in _TRANSPORT_DOMAINS:
        return errors.Unreachable
    return _BY_CODE.get(code, errors.OperationFailed) if code is not None else errors.OperationFailed


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn any libvirtError raised inside into a VirtError; works as a decorator too."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise translate(error) from error
