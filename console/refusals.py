"""Why a display that is there cannot be shown. The page says so in these words; `code` comes to it in the close."""

from virt.errors import Unreachable, Unsupported
from virt.words import gettext_noop


class OutOfReach(Unsupported):
    """It listens where nobody but its host can connect, and libvirt hands it over by a unix socket only."""

    code = "out_of_reach"
    title = gettext_noop("The display cannot be reached from here")
    detail = gettext_noop(
        "It listens on its host alone, and over TCP or TLS libvirt passes no display on. Reached by ssh, the host's "
        "displays can be seen as they are."
    )
    hint = gettext_noop(
        "Change the host's address to qemu+ssh://, or have its displays listen on the network: vnc_listen in "
        "/etc/libvirt/qemu.conf on the host, and no other listen address in the guest. Such a display is not "
        "encrypted: do so only on a network that you trust."
    )


class Encrypted(Unsupported):
    """It asks for TLS or SASL, which no browser speaks to it."""

    code = "encrypted"
    title = gettext_noop("The display asks for what browsers cannot do")
    detail = gettext_noop("It takes only connections by VeNCrypt (TLS) or SASL.")
    hint = gettext_noop(
        "Switch vnc_tls and vnc_sasl off in /etc/libvirt/qemu.conf on the host and reach it by ssh, which encrypts "
        "the display too."
    )


class NoWay(Unreachable):
    """Nobody answers as VNC does where the display should listen."""

    code = "no_way"
    title = gettext_noop("Nothing answers where the display listens")
    detail = gettext_noop("The host is there, but no connection to the guest's display comes about.")
    hint = gettext_noop(
        "By ssh, the host's sshd must allow forwarding (AllowTcpForwarding, and AllowStreamLocalForwarding for "
        "displays on a socket). By TCP or TLS, its firewall must let the displays' ports through (5900 and up)."
    )


REFUSALS = (OutOfReach, Encrypted, NoWay)
