"""What libvirt's drivers besides QEMU's do not offer: it is hidden, and refused in words."""

from django.utils.translation import gettext as _

from hosts.models import Host
from hosts.upkeep import require_open
from instances.models import Instance
from tasks.errors import Refused

QEMU = "QEMU"
# By the name that a driver gives itself, the verbs for which its table of functions has nothing.
LACKING = {
    "LXC": frozenset({"reset", "save", "discard", "start_from_cd", "media"}),
    "Xen": frozenset({"reset", "edit"}),
    "VBOX": frozenset({"reset", "save", "discard", "autostart", "edit"}),
    "TEST": frozenset({"media"}),
}


def offers(instance: Instance, verb: str) -> bool:
    """Whether the host's driver has what this verb needs."""
    return verb not in LACKING.get(instance.host.status.driver, frozenset())


def require_offered(instance: Instance, verb: str) -> None:
    """Raise Refused, in words, where the host's driver cannot do this."""
    if not offers(instance, verb):
        words = {"host": instance.host.name, "driver": instance.host.status.driver}
        raise Refused(_("libvirt's driver %(driver)s, which %(host)s has, does not offer this.") % words)


def makes_guests(host: Host) -> bool:
    """Whether Webvirt can define guests there: it knows QEMU's alone."""
    return host.status.driver == QEMU


def require_takes_guests(host: Host) -> None:
    """Raise Refused, in words, where the host takes no new guests."""
    require_open(host)
    if not makes_guests(host):
        words = {"host": host.name, "driver": host.status.driver}
        raise Refused(_("Webvirt makes guests for QEMU, and %(host)s runs %(driver)s.") % words)
