"""libvirt's errors in plain words, with libvirt's own words kept."""

import inspect

import libvirt
import pytest

from virt import errors
from virt.access import Access
from virt.connection import Connection, open_connection
from virt.translate import translate, translated_errors


def failure(message: str, code: int, domain: int = libvirt.VIR_FROM_QEMU, errno: int = 0) -> libvirt.libvirtError:
    """An error as libvirt-python makes it."""
    error = libvirt.libvirtError("")
    error.err = (code, domain, message, libvirt.VIR_ERR_ERROR, None, None, None, errno, -1)
    return error


CASES = [
    ("Domain not found: no domain", "NO_DOMAIN", "QEMU", errors.NotFound),
    ("operation failed: domain 'a' already exists with uuid b", "OPERATION_FAILED", "DOMAIN", errors.AlreadyExists),
    ("domain is not running", "OPERATION_INVALID", "QEMU", errors.InvalidState),
    ("cannot acquire state change lock (held by x)", "OPERATION_TIMEOUT", "QEMU", errors.Busy),
    ("not supported by the connection driver", "NO_SUPPORT", "NONE", errors.Unsupported),
    ("internal error: unsupported event ID 26", "INTERNAL_ERROR", "RPC", errors.Unsupported),
    ("unsupported configuration: no spice", "CONFIG_UNSUPPORTED", "QEMU", errors.Unsupported),
    ("XML document failed to validate", "XML_INVALID_SCHEMA", "NONE", errors.InvalidDefinition),
    ("Cannot recv data: Host key verification failed.", "SYSTEM_ERROR", "RPC", errors.HostKeyUnknown),
    ("Cannot recv data: x: Permission denied (publickey).", "SYSTEM_ERROR", "RPC", errors.KeyRefused),
    ("authentication failed: Failed to step SASL", "AUTH_FAILED", "RPC", errors.PasswordRefused),
    ("authentication unavailable: no polkit agent", "AUTH_UNAVAILABLE", "REMOTE", errors.Denied),
    ("unable to connect to server at 'a:1': refused", "SYSTEM_ERROR", "RPC", errors.Unreachable),
    ("internal error: client socket is closed", "INTERNAL_ERROR", "RPC", errors.Unreachable),
    ("internal error: closed due to keepalive timeout", "INTERNAL_ERROR", "RPC", errors.TimedOut),
    ("packet 1 bytes received from server too large, want 2", "RPC", "RPC", errors.Unreachable),
    ("authentication failed: Failed to verify peer's certificate", "AUTH_FAILED", "RPC", errors.CertificateRefused),
    ("packet 1416128879 bytes received from server too large, want 2", "RPC", "RPC", errors.Denied),
    ("internal error: QEMU broke", "INTERNAL_ERROR", "QEMU", errors.OperationFailed),
    ("cannot write data to file 'x': No space left on device", "SYSTEM_ERROR", "STREAMS", errors.NoRoom),
    ("bridge name 'virbr0' already in use.", "INTERNAL_ERROR", "NETWORK", errors.AlreadyExists),
    ("Network is already in use by interface eth0", "INTERNAL_ERROR", "NETWORK", errors.AlreadyExists),
    ("Device 'x' is locked and force was not specified", "INTERNAL_ERROR", "QEMU", errors.Busy),
    ("unable to start: Cannot allocate memory", "INTERNAL_ERROR", "QEMU", errors.NoRoom),
    ("no connection driver available for lxc:///", "NO_CONNECT", "NONE", errors.Unsupported),
    ("unable to initialize VirtualBox driver API", "INTERNAL_ERROR", "VBOX", errors.Unsupported),
    ("libxenlight state driver is not active", "INTERNAL_ERROR", "LIBXL", errors.Unsupported),
    ('process exited: Failed to get "write" lock', "INTERNAL_ERROR", "QEMU", errors.Busy),
]


@pytest.mark.parametrize(("message", "code", "domain", "kind"), CASES)
def test_each_says_what_it_means(message: str, code: str, domain: str, kind: type[errors.VirtError]) -> None:
    number = getattr(libvirt, f"VIR_ERR_{code}")
    error = translate(failure(message, number, getattr(libvirt, f"VIR_FROM_{domain}")))
    assert type(error) is kind
    assert (error.libvirt, error.libvirt_code) == (message, number)
    assert error.detail
    assert error.hint


STARTS = [
    ("Cannot access storage file '/pool/a.qcow2' (as uid:1, gid:1): No such file or directory", "not on the host"),
    ("Cannot access backing file '/b' of storage file '/a': No such file or directory", "not on the host any more"),
    ("Cannot access storage file '/root/a' (as uid:1, gid:1): Permission denied", "may not read"),
    ("qemu unexpectedly closed the monitor: Could not open '/root/a': Permission denied", "may not read"),
    ("qemu unexpectedly closed the monitor: x: Image is not in qcow2 format", "another format"),
    ("Network not found: no network with matching name 'dmz'", "A network of this guest"),
    ("Requested operation is not valid: network 'dmz' is not active", "The network is not active"),
    ("Cannot get interface MTU on 'br7': No such device", "no interface or bridge"),
    ("Unable to get index for interface eth7: No such device", "no interface or bridge"),
    ("internal error: Failed to reserve port 5900", "port of this guest's display"),
    ("UNIX socket path '/var/lib/libvirt/qemu/channel/target/domain-1-x/org' too long", "name is too long"),
    ("internal error: qemu unexpectedly closed the monitor: kvm: failed to set MSR 0x10a", "QEMU ended"),
    ("internal error: process exited while connecting to monitor: Parameter 'x' is unexpected", "QEMU ended"),
    ("cannot open directory '/srv/images': No such file or directory", "folder of the pool"),
    ("Failed to create file '/srv/images/x.raw': No such file or directory", "folder of the pool"),
    (
        "Child process (/usr/bin/qemu-img resize /p/top): qemu-img: Could not open '/p/top': Could "
        "not open backing file: Could not open '/p/base': No such file or directory",
        "laid over another file",
    ),
    (
        "Child process (/usr/bin/qemu-img convert -f qcow2 /p/a /p/b): qemu-img: Could not "
        "open '/p/a': Image is not in qcow2 format",
        "another image than the one",
    ),
    (
        "Child process (/usr/bin/qemu-img resize /p/a 9): qemu-img: Can't resize a v2 image which has snapshots",
        "older version of qcow2",
    ),
    ("Requested operation is not valid: volume 'a' is still in use.", "being copied"),
]


def test_a_guest_that_ended_while_it_was_saved_is_said_to_have_ended() -> None:
    told = translate(failure("internal error: guest unexpectedly quit", libvirt.VIR_ERR_INTERNAL_ERROR))
    assert (type(told), told.detail) == (errors.InvalidState, "The guest ended meanwhile.")


@pytest.mark.parametrize(("message", "part"), STARTS)
def test_why_a_guest_or_a_pool_does_not_start_is_said(message: str, part: str) -> None:
    told = translate(failure(message, libvirt.VIR_ERR_INTERNAL_ERROR))
    assert part in told.detail
    assert told.hint not in (errors.VirtError.hint, type(told).hint)


def test_every_kind_has_words_and_a_code_of_its_own() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.VirtError)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.title
        assert str(kind(params={"daemon": "virtstoraged"}))


def test_a_full_disk_is_told_by_its_number_too() -> None:
    error = failure("cannot extend file", libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_STORAGE, errno=28)
    assert isinstance(translate(error), errors.NoRoom)


@pytest.mark.parametrize("part", ["storage", "network", "log"])
@pytest.mark.parametrize("why", ["No such file or directory", "Connection refused"])
def test_a_daemon_behind_the_one_that_answers_is_named(part: str, why: str) -> None:
    message = f"Failed to connect socket to '/var/run/libvirt/virt{part}d-sock': {why}"
    told = translate(failure(message, libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC))
    assert isinstance(told, errors.PartAway)
    assert (told.part, told.libvirt) == (part, message)
    assert f"virt{part}d does not run on the host." in str(told)
    assert f"virt{part}d.socket" in told.hint % told.params


def test_without_the_one_that_answers_for_guests_libvirt_does_not_run() -> None:
    """As virtproxyd says it."""
    message = "Failed to connect socket to '/var/run/libvirt/virtqemud-sock': No such file or directory"
    told = translate(failure(message, libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC))
    assert (type(told), told.detail) == (errors.Unreachable, "libvirt does not run on the host.")


def test_text_in_place_of_an_answer_is_told_by_its_beginning() -> None:
    told = translate(
        failure("packet 2003135583 bytes received from server too large, want 33554432", libvirt.VIR_ERR_RPC)
    )
    assert "welc" in str(told)


def test_params_fill_the_sentence() -> None:
    error = errors.NotFound("No drive %(target)s.", params={"target": "sda"}, libvirt="low words")
    assert str(error) == "No drive sda. (low words)"


def test_other_errors_pass_untouched() -> None:
    with pytest.raises(ValueError), translated_errors():
        raise ValueError


def test_a_call_on_a_broken_connection_says_unreachable() -> None:
    with open_connection(Access("test:///default")) as conn:
        handle = conn.handle
    with pytest.raises(errors.Unreachable), translated_errors():
        handle.getHostname()


def test_what_a_driver_lacks_is_none(conn: Connection) -> None:
    @translated_errors()
    def ask() -> str:
        found: str = conn.handle.getDomainCapabilities()
        return found

    assert errors.if_supported(ask) is None
