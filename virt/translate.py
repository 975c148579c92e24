"""libvirt's errors, translated once, here, into the family of virt.errors.

libvirt's codes are coarse (one code for "not running" and "already running"), so that its message
decides where the code does not. Messages are never localised by us: libvirt speaks the locale of
the process, which is C.UTF-8 everywhere in Webvirt.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import libvirt

from virt import errors
from virt.words import gettext_noop


class _Message(NamedTuple):
    """A fragment of libvirt's message and what it means."""

    fragment: str
    kind: type[errors.VirtError]
    detail: str = ""
    hint: str = ""


# Looked at before the code, since libvirt gives all of these a general one.
_MESSAGES = (
    _Message("HOST IDENTIFICATION HAS CHANGED", errors.HostKeyChanged),
    _Message("Host key verification failed", errors.HostKeyUnknown),
    _Message("Permission denied (publickey", errors.KeyRefused),
    _Message("keepalive timeout", errors.TimedOut),
    _Message(
        "server too large, want",
        errors.Unreachable,
        gettext_noop("The host answered with text that is not libvirt's."),
        gettext_noop("The user's login shell on the host prints text or is nologin: use another user."),
    ),
    _Message(
        "Cannot read CA certificate",
        errors.Unreachable,
        gettext_noop("There are no TLS certificates for this host here."),
        gettext_noop("Put the certificate authority's and our own certificate into place first."),
    ),
    _Message("No space left on device", errors.NoRoom),
    _Message("Disk quota exceeded", errors.NoRoom),
    _Message("Not enough free space", errors.NoRoom),
    _Message(
        "annot allocate memory",
        errors.NoRoom,
        gettext_noop("The host has not enough free memory."),
        gettext_noop("Give the guest less memory, or shut down another guest."),
    ),
    _Message(
        'Failed to get "write" lock',
        errors.Busy,
        gettext_noop("Another process on the host is using this disk image."),
        gettext_noop("Shut down the guest that uses it, or give this guest another disk."),
    ),
    _Message(
        "cannot acquire state change lock",
        errors.Busy,
        gettext_noop("The guest is busy with another operation."),
    ),
    _Message(
        "is locked and force was not specified",
        errors.Busy,
        gettext_noop("The guest holds the drive locked."),
        gettext_noop("Eject the medium inside the guest first, or force it."),
    ),
    _Message("polkit", errors.Denied),
    _Message("already exists", errors.AlreadyExists),
    _Message("' already in use", errors.AlreadyExists),
    _Message(
        "source conflict with pool",
        errors.AlreadyExists,
        gettext_noop("Another pool already uses this place on the host."),
        gettext_noop("Use that pool, or choose another place."),
    ),
    _Message(
        "Network is already in use by interface",
        errors.AlreadyExists,
        gettext_noop("An interface of the host already uses these addresses."),
        gettext_noop("Choose other addresses for the network."),
    ),
    _Message("in use by", errors.Busy),
    _Message("domain is not running", errors.InvalidState, gettext_noop("The guest is not running.")),
    _Message("is already running", errors.InvalidState, gettext_noop("The guest is already running.")),
    _Message("is already active", errors.InvalidState, gettext_noop("It is already active.")),
    _Message("is not active", errors.InvalidState, gettext_noop("It is not active.")),
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
    for fragment, kind, detail, hint in _MESSAGES:
        if fragment in message:
            return kind(detail, hint=hint, libvirt=message, libvirt_code=code)
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
