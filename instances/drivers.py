"""What the driver of a guest's host offers, and where Webvirt can make guests."""

from django.utils.translation import gettext as _

from hosts import drivers
from hosts.models import Host
from hosts.upkeep import require_open
from instances.models import Instance
from tasks.errors import Refused


def offers(instance: Instance, verb: str) -> bool:
    """Whether the host's driver has what this verb needs."""
    return drivers.offers(instance.host, f"instances.{verb}")


def has_console(instance: Instance) -> bool:
    """Whether there is a display to be seen now, and a way to it."""
    return instance.has_screen and drivers.offers(instance.host, drivers.CONSOLE)


def has_picture(instance: Instance) -> bool:
    """Whether a picture of its display can be taken now."""
    return instance.has_screen and drivers.offers(instance.host, drivers.SCREENSHOT)


def require_takes_guests(host: Host) -> None:
    """Raise Refused, in words, where the host takes no new guests."""
    require_open(host)
    if not drivers.makes_guests(host):
        words = {"host": host.name, "driver": host.status.driver}
        raise Refused(_("Webvirt makes guests for QEMU, and %(host)s runs %(driver)s.") % words)
