"""What libvirt's drivers besides QEMU's lack: no page offers it, and it is refused in words before a task is made.

libvirt does not tell which functions a driver has but by failing; its API support matrix does
(https://libvirt.org/hvsupport.html). Drivers that are not named here are taken to have what QEMU's has.
"""

from functools import lru_cache

from django.utils.translation import gettext as _

from hosts.models import Host
from tasks.errors import Refused
from virt.errors import Unsupported
from virt.transport import Transport, endpoint

QEMU = "QEMU"
# Not changes, but asked of a host all the same.
CONSOLE = "console"
SCREENSHOT = "instances.screenshot"

# By the name that a driver gives itself, the kinds of tasks that it cannot do.
LACKING = {
    "LXC": frozenset(
        {
            CONSOLE,
            SCREENSHOT,
            "instances.discard",
            "instances.media",
            "instances.reset",
            "instances.save",
            "instances.start_from_cd",
            # It is frozen by version 1 of control groups alone, which hosts have ever more seldom.
            "instances.suspend",
        }
    ),
    "TEST": frozenset(
        {CONSOLE, "instances.media", "storage.download", "storage.grow_volume", "storage.upload"},
    ),
    # It lists neither pools nor networks, so that nothing of them but their making could be asked for.
    "VBOX": frozenset(
        {
            "instances.autostart",
            "instances.discard",
            "instances.edit",
            "instances.media",
            "instances.reset",
            "instances.save",
            "instances.start_from_cd",
            "networks.create",
            "storage.create_pool",
        }
    ),
    "Xen": frozenset({SCREENSHOT, "instances.edit", "instances.reset"}),
}
NOTHING: frozenset[str] = frozenset()


def offers(host: Host, kind: str) -> bool:
    """Whether what a host's driver has, and the way to it, is enough for tasks of this kind."""
    driver, transport = host.status.driver, transport_of(host.uri)
    if transport == "memory" or kind in LACKING.get(driver, NOTHING):
        return False
    # A display on this machine is handed over by libvirt, which only QEMU's driver does.
    return kind != CONSOLE or transport != "unix" or runs_qemu(host)


def require_offered(host: Host, kind: str) -> None:
    """Raise Refused, in words, where the host's driver cannot do this."""
    if offers(host, kind):
        return
    words = {"host": host.name, "driver": host.status.driver}
    if not keeps_changes(host):
        raise Refused(
            _("%(host)s is made anew in each program that opens it, so that no change of it would last.") % words
        )
    raise Refused(_("libvirt's driver %(driver)s, which %(host)s has, does not offer this.") % words)


def runs_qemu(host: Host) -> bool:
    """Whether its guests are QEMU's; of a host that was never reached it is supposed."""
    return host.status.driver in ("", QEMU)


def makes_guests(host: Host) -> bool:
    """Whether Webvirt can define guests there: it knows QEMU's alone."""
    return host.status.driver == QEMU


def keeps_changes(host: Host) -> bool:
    """Whether what one program changes there is there for the others.

    libvirt's test driver makes a host anew in each program that opens it, unless a libvirtd has it for all.
    """
    return transport_of(host.uri) != "memory"


@lru_cache(maxsize=4096)
def transport_of(uri: str) -> Transport | None:
    """By what an address leads to its host; None for one that cannot be read."""
    try:
        return endpoint(uri).transport
    except (Unsupported, ValueError):
        return None
