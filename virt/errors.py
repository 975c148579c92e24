"""What can go wrong on a host, in words that say what to do next.

Texts are English templates marked for translation: show `gettext(error.detail) % error.params`.
libvirt's own code and message stay in `libvirt_code` and `libvirt`.
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from virt.words import gettext_noop

T = TypeVar("T")


class VirtError(Exception):
    """A host refused, failed or could not be asked.

    `code` is a word for programs, `title` a headline, `detail` one sentence (a template over
    `params`), `hint` what to do next, `libvirt` and `libvirt_code` what libvirt itself said.
    """

    code: ClassVar[str] = "virt_error"
    title: ClassVar[str] = gettext_noop("The host could not do this")
    detail: str = gettext_noop("The host could not do what was asked.")
    hint: str = gettext_noop("Read what libvirt said below.")

    def __init__(
        self,
        detail: str = "",
        *,
        hint: str = "",
        params: dict[str, str] | None = None,
        libvirt: str = "",
        libvirt_code: int | None = None,
    ) -> None:
        self.detail = detail or self.detail
        self.hint = hint or self.hint
        self.params = params or {}
        self.libvirt = libvirt
        self.libvirt_code = libvirt_code
        super().__init__(self.detail)

    def __str__(self) -> str:
        sentence = self.detail % self.params
        return f"{sentence} ({self.libvirt})" if self.libvirt else sentence


class Unreachable(VirtError):
    """Nobody answers there, or the connection broke."""

    code = "unreachable"
    title = gettext_noop("The host cannot be reached")
    detail = gettext_noop("There is no connection to libvirt on this host.")
    hint = gettext_noop("Check that the host is on, that libvirtd runs there and that the address is right.")


class TimedOut(Unreachable):
    """The host accepts connections and stays silent."""

    code = "timed_out"
    title = gettext_noop("The host does not answer")
    detail = gettext_noop("The host gave no answer in time.")
    hint = gettext_noop(
        "Check that the host is on, that no firewall drops its packets, and that libvirtd on it is not stuck. To start "
        "it anew there, as root: systemctl restart libvirtd. Guests go on running."
    )


class PartAway(Unreachable):
    """A daemon behind the one that answers does not run: the host cannot tell of its `part` (storage, log…)."""

    code = "part_away"
    title = gettext_noop("A part of libvirt does not run")
    detail = gettext_noop(
        "%(daemon)s does not run on the host. It is the one of libvirt's daemons that answers for this."
    )
    hint = gettext_noop("On the host, as root: systemctl enable --now %(daemon)s.socket. Guests go on running.")

    @property
    def part(self) -> str:
        return self.params["daemon"].removeprefix("virt").removesuffix("d")


class HostKeyUnknown(VirtError):
    """ssh does not know this host's key, or the key is another one than before."""

    code = "host_key_unknown"
    title = gettext_noop("The host's key is not trusted")
    detail = gettext_noop("The host's SSH key is not known yet, or it has changed.")
    hint = gettext_noop("Compare the key's fingerprint with the one on the host, and accept it if they are the same.")


class HostKeyChanged(HostKeyUnknown):
    """ssh: the host shows another key than the one that was confirmed."""

    code = "host_key_changed"
    title = gettext_noop("The host shows another key")
    detail = gettext_noop("The host's SSH key is not the one that was confirmed: it may be another machine.")
    hint = gettext_noop(
        "If the host was installed anew or its keys were changed on purpose, compare the new fingerprint on the "
        "host itself and accept it. If not, somebody may stand between you and the host."
    )


class KeyRefused(VirtError):
    """ssh: our key is not in the user's authorized_keys."""

    code = "key_refused"
    title = gettext_noop("The host refused the key")
    detail = gettext_noop("The user on the host does not accept our SSH key.")
    hint = gettext_noop(
        "Add our public key to ~/.ssh/authorized_keys of that user on the host. The user has to exist there, and to be "
        "the only one who can write to that file and the folders above it. ssh's log there says why: journalctl -u ssh."
    )


class PasswordRefused(VirtError):
    """SASL: wrong user or password."""

    code = "password_refused"
    title = gettext_noop("The host refused the password")
    detail = gettext_noop("The host does not accept this user and password.")
    hint = gettext_noop(
        "Check both. On the host, as root: saslpasswd2 -a libvirt USER sets a new password. There, mech_list in "
        "/etc/sasl2/libvirt.conf has to be digest-md5 for tcp, and sasldb_path has to name the file of passwords."
    )


class CertificateRefused(VirtError):
    """TLS: the host does not take our certificate, or we do not take the host's."""

    code = "certificate_refused"
    title = gettext_noop("A certificate is not accepted")
    detail = gettext_noop("The host and Webvirt do not accept each other's certificates.")
    hint = gettext_noop("Compare the certificates of the host, of its authority and of Webvirt.")


class Denied(VirtError):
    """libvirt or its host's policy does not allow it to us."""

    code = "denied"
    title = gettext_noop("The host does not allow this")
    detail = gettext_noop("The user that we are on the host may not do this.")
    hint = gettext_noop(
        "Put that user into the group libvirt on the host (as root: usermod -aG libvirt USER), or connect as another "
        "one."
    )


class NotFound(VirtError):
    """The object is not on the host (any more)."""

    code = "not_found"
    title = gettext_noop("Not found on the host")
    detail = gettext_noop("The host does not know this object; it may have been removed there.")
    hint = gettext_noop("Reload the page to see what is there now.")


class AlreadyExists(VirtError):
    """The name, UUID or address is taken."""

    code = "already_exists"
    title = gettext_noop("There is one already")
    detail = gettext_noop("The host already has an object with this name or address.")
    hint = gettext_noop("Choose another name.")


class Busy(VirtError):
    """Something else holds the object just now."""

    code = "busy"
    title = gettext_noop("In use just now")
    detail = gettext_noop("Something else on the host is using this just now.")
    hint = gettext_noop("Wait a moment and try again.")


class InvalidState(VirtError):
    """The object's state does not allow it, as with a guest that does not run."""

    code = "invalid_state"
    title = gettext_noop("Not possible in this state")
    detail = gettext_noop("This cannot be done in the state that it is in now.")
    hint = gettext_noop("Look at its state, and try again from there.")


class Unsupported(VirtError):
    """The host's libvirt or QEMU cannot do this."""

    code = "unsupported"
    title = gettext_noop("The host cannot do this")
    detail = gettext_noop("libvirt or QEMU on this host does not offer this.")
    hint = gettext_noop("Choose something that the host offers, or update its libvirt and QEMU.")


class InvalidDefinition(VirtError):
    """The XML is not what libvirt's schema allows."""

    code = "invalid_definition"
    title = gettext_noop("The definition is not valid")
    detail = gettext_noop("libvirt does not accept this definition.")
    hint = gettext_noop("Correct what libvirt complains about below.")


class NoRoom(VirtError):
    """The disk or the memory is full."""

    code = "no_room"
    title = gettext_noop("Not enough room")
    detail = gettext_noop("There is not enough room on the host's disk.")
    hint = gettext_noop("Free some room there, or choose another pool.")


class OperationFailed(VirtError):
    """It was tried and failed; libvirt's message says why."""

    code = "operation_failed"
    title = gettext_noop("The operation failed")
    detail = gettext_noop("The host tried and failed.")


def if_supported(call: Callable[[], T]) -> T | None:
    """Return what the call returns, or None where the host does not offer it."""
    try:
        return call()
    except Unsupported:
        return None
