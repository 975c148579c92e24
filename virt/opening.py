"""What libvirt, and ssh through it, say when a host cannot be opened, and what mends it.

libvirt gives all of these two or three general codes, so that its words decide. Each row was seen of the real thing
(tests/host/virt/test_refusals.py provokes them); the first that fits counts. Commands in hints are for a person at
the host's shell, USER being the one of the address.
"""

import re
from typing import NamedTuple

from virt import errors
from virt.words import gettext_noop


class Message(NamedTuple):
    """What libvirt's message has in it, all of it, and what that means."""

    fragments: tuple[str, ...]
    kind: type[errors.VirtError]
    detail: str = ""
    hint: str = ""

    def fits(self, message: str) -> bool:
        return all(fragment in message for fragment in self.fragments)


_NOT_RUNNING = (
    gettext_noop("libvirt does not run on the host."),
    gettext_noop(
        "On the host, as root: systemctl enable --now libvirtd. Where it has the modular daemons: systemctl enable "
        "--now virtqemud.socket."
    ),
)
_NOT_INSTALLED = (
    gettext_noop("There is no libvirt on the host, or only a part of it."),
    gettext_noop(
        "On the host, as root: apt-get install libvirt-daemon-system qemu-system. On Fedora and its kin: dnf install "
        "libvirt qemu-kvm."
    ),
)
_UNREADABLE = (
    gettext_noop("A certificate or key for this host cannot be read, or they do not belong together."),
    gettext_noop("Give the authority's certificate, our certificate and its key once more, each as a PEM text."),
)
# Of an ssh server that hangs up before anybody signs in.
SENT_AWAY = (
    gettext_noop("What answers at the ssh port hangs up at once."),
    gettext_noop(
        "Its sshd has as many that sign in as it takes (MaxStartups), or keeps the address of Webvirt's machine out "
        "(fail2ban, sshd's own penalties); or it is no sshd. The host's log says which: journalctl -u ssh."
    ),
)

OF_SSH = (
    Message(("HOST IDENTIFICATION HAS CHANGED",), errors.HostKeyChanged),
    Message(("Host key verification failed",), errors.HostKeyUnknown),
    Message(("Permission denied (", "publickey"), errors.KeyRefused),
    Message(
        ("Cannot recv data", "Permission denied ("),
        errors.KeyRefused,
        gettext_noop("The host's sshd takes no keys."),
        gettext_noop(
            "On the host, as root: set PubkeyAuthentication yes in /etc/ssh/sshd_config, then systemctl reload ssh."
        ),
    ),
    Message(
        ("Your password has expired",),
        errors.Denied,
        gettext_noop("The user's password on the host has expired, and ssh lets nobody in until it is changed."),
        gettext_noop("On the host, as root: chage --lastday -1 USER. Keys alone need no password."),
    ),
    Message(
        ("ssh: connect to host", "Connection refused"),
        errors.Unreachable,
        gettext_noop("No ssh server answers at this address and port."),
        gettext_noop(
            "On the host, as root: systemctl enable --now ssh (on Fedora and its kin: sshd). If it runs, check the "
            "port in the address."
        ),
    ),
    Message(("ssh: connect to host", "Connection timed out"), errors.TimedOut),
    Message(("kex_exchange_identification",), errors.Unreachable, *SENT_AWAY),
    Message(("Failed to connect socket to", "Permission denied"), errors.Denied),
    *(
        Message(("Failed to connect socket to", why), errors.Unreachable, *_NOT_RUNNING)
        for why in (
            "libvirt-sock': No such file or directory",
            "libvirt-sock': Connection refused",
            "virtqemud-sock': No such file or directory",
            "virtqemud-sock': Connection refused",
        )
    ),
    *(
        Message((f"{program}: {missing}",), errors.Unreachable, *_NOT_INSTALLED)
        for program in ("virt-ssh-helper", " nc")
        for missing in ("not found", "command not found")
    ),
    Message(
        ("Cannot write data: Broken pipe",),
        errors.Unreachable,
        gettext_noop("The connection ended before libvirt could speak, and nobody said why."),
        gettext_noop(
            "Try again. When ssh ends very soon, as at a port where nobody listens, its own words can be lost."
        ),
    ),
    Message(
        ("End of file while reading data: : ",),
        errors.Unreachable,
        gettext_noop("The host let us in and ended the connection without a word."),
        gettext_noop(
            "If it has never worked: with the login shell /bin/false nobody gets in. On the host, as root: getent "
            "passwd USER shows it, usermod --shell /bin/bash USER mends it."
        ),
    ),
    Message(
        ("Cannot recv data: : ",),
        errors.Unreachable,
        gettext_noop("The host's sshd ended the connection without a word."),
        gettext_noop(
            "The host's log says why: journalctl -u ssh. The user's account may have expired (as root: chage "
            "--expiredate -1 USER), or only root gets in, since the host is starting up, is shutting down or has a "
            "file /etc/nologin."
        ),
    ),
)

OF_TCP = (
    *(
        Message(
            ("unable to connect to server at", f":{port}': Connection refused"),
            errors.Unreachable,
            gettext_noop("The machine answers, but libvirt does not listen at this port."),
            hint,
        )
        for port, hint in (
            (
                16509,
                gettext_noop(
                    "On the host, as root: systemctl stop libvirtd, then systemctl enable --now libvirtd-tcp.socket. "
                    "Where it has the modular daemons: systemctl enable --now virtproxyd-tcp.socket."
                ),
            ),
            (
                16514,
                gettext_noop(
                    "On the host, as root: systemctl stop libvirtd, then systemctl enable --now libvirtd-tls.socket. "
                    "Where it has the modular daemons: systemctl enable --now virtproxyd-tls.socket."
                ),
            ),
        )
    ),
    Message(
        ("unable to connect to server at", "Connection refused"),
        errors.Unreachable,
        gettext_noop("The machine answers, but libvirt does not listen at this port."),
        gettext_noop("Check the port: libvirt's own are 16509 for tcp and 16514 for tls."),
    ),
    Message(
        ("No route to host",),
        errors.Unreachable,
        gettext_noop("There is no way to this address and port."),
        gettext_noop(
            "Check that the host is on and that the address is right. If it is, a firewall refuses: on the host, port "
            "22 has to be open for ssh, 16509 for tcp, 16514 for tls."
        ),
    ),
    Message(
        ("Failed to collect auth credentials",),
        errors.PasswordRefused,
        gettext_noop("The host wants a user and a password."),
        gettext_noop("Write the user into the address (qemu+tcp://USER@HOST/system), and give the password."),
    ),
    Message(
        ("no mechanism available",),
        errors.PasswordRefused,
        gettext_noop("Webvirt and the host know no common way to check a password."),
        gettext_noop(
            "On Webvirt's machine: apt-get install libsasl2-modules. On the host, mech_list in /etc/sasl2/libvirt.conf "
            "has to be digest-md5 for tcp, scram-sha-256 for tls."
        ),
    ),
)

OF_TLS = (
    Message(
        ("TLS handshake failed",),
        errors.Unreachable,
        gettext_noop("What answers at this address and port does not speak TLS."),
        gettext_noop("Check the port: libvirt's own is 16514 for tls."),
    ),
    Message(
        ("The client certificate", "has expired"),
        errors.CertificateRefused,
        gettext_noop("Our certificate for this host has expired."),
        gettext_noop("Have the host's certificate authority sign a new one, and give it here with its key."),
    ),
    Message(
        ("The CA certificate", "has expired"),
        errors.CertificateRefused,
        gettext_noop("The certificate of the host's certificate authority has expired."),
        gettext_noop("Give the authority's new certificate. The host's own and ours have to be signed by it."),
    ),
    Message(
        ("is not yet active",),
        errors.CertificateRefused,
        gettext_noop("A certificate is not valid yet."),
        gettext_noop("Compare the clock of Webvirt's machine with that of the machine that made the certificate."),
    ),
    Message(
        ("Our own certificate", "failed validation"),
        errors.CertificateRefused,
        gettext_noop("Our certificate was not signed by the authority that was given with it."),
        gettext_noop("Give the certificate of the authority that signed ours, or have this one sign ours."),
    ),
    Message(
        ("Unable to read TLS confirmation",),
        errors.CertificateRefused,
        gettext_noop("The host does not accept our certificate."),
        gettext_noop(
            "It has to be signed by the authority in the host's /etc/pki/CA/cacert.pem and, where libvirtd.conf there "
            "has a tls_allowed_dn_list, be named in it. The host's log says more: journalctl -u libvirtd."
        ),
    ),
    Message(
        ("Failed to verify peer's certificate",),
        errors.CertificateRefused,
        gettext_noop(
            "The host's certificate has expired, is of another authority, or is for another address than the one used "
            "here."
        ),
        gettext_noop(
            "On the host: openssl x509 -noout -enddate -issuer -ext subjectAltName -in "
            "/etc/pki/libvirt/servercert.pem shows it all. The address used here has to be among its names. A new one "
            "counts from: systemctl restart libvirtd."
        ),
    ),
    Message(
        ("Cannot read CA certificate",),
        errors.CertificateRefused,
        gettext_noop("There are no certificates for this host."),
        gettext_noop("Give the certificate of the host's authority, our certificate and its key."),
    ),
    *(
        Message((fragment,), errors.CertificateRefused, *_UNREADABLE)
        for fragment in (
            "Unable to import CA certificate",
            "Unable to import client certificate",
            "Unable to set x509 key and certificate",
            "basic constraints do not show a CA",
        )
    ),
)

OF_DRIVERS = (
    Message(
        ("no connection driver available for",),
        errors.Unsupported,
        gettext_noop("libvirt answers, but has no driver for such an address."),
        gettext_noop(
            "Check how the address begins. If it is right, the driver is a package of its own: on the host, as root, "
            "apt-get install libvirt-daemon-driver-lxc (or -vbox, or -xen), then systemctl restart libvirtd."
        ),
    ),
    Message(
        ("unable to initialize VirtualBox driver API",),
        errors.Unsupported,
        gettext_noop("libvirt has its driver for VirtualBox, and finds no VirtualBox on the host."),
        gettext_noop("Install VirtualBox on the host. Then, there, as root: systemctl restart libvirtd."),
    ),
    Message(
        ("state driver is not active",),
        errors.Unsupported,
        gettext_noop("libvirt has the driver for such an address, and it does not work on this host."),
        gettext_noop("Xen's needs a host that was started under Xen. The host's log says why: journalctl -u libvirtd."),
    ),
)

_NO_NC = (" nc: not found", " nc: command not found")
_NOBODY = ("No such file or directory", "Connection refused")


def at_named_socket(path: str, said: str) -> errors.VirtError | None:
    """What it means where the address names the socket at `path`; None where it is about something else.

    ssh reaches such a socket by nc alone, and nobody looks for libvirt's usual one.
    """
    if any(words in said for words in _NO_NC):
        return errors.Unreachable(
            gettext_noop("ssh reaches a socket that the address names by nc, and the host has none."),
            hint=gettext_noop(
                "On the host, as root: apt-get install netcat-openbsd. On Fedora and its kin: dnf install nmap-ncat. "
                "Or leave the socket out of the address: the usual one is reached without nc."
            ),
            libvirt=said,
        )
    if (f"'{path}'" in said or "nc: " in said) and any(words in said for words in _NOBODY):
        return errors.Unreachable(
            gettext_noop("Nobody listens at the socket %(path)s, which the address names."),
            hint=gettext_noop(
                "Correct the socket in the address, or leave it out: libvirt's usual one is found by itself."
            ),
            params={"path": path},
            libvirt=said,
        )
    return None


MESSAGES = (*OF_SSH, *OF_TCP, *OF_TLS, *OF_DRIVERS)

# libvirt reads an answer's first four bytes as its length, which counts themselves.
_TOO_LARGE = re.compile(r"packet (\d+) bytes received from server too large")
_NOLOGIN = "This"  # account is currently not available.
_OTHER_SERVERS = ("SSH-", "HTTP")


# The daemon that answers turns to these itself, by and by: the connection stands without them.
_PART = re.compile(
    r"Failed to connect socket to '[^']*/(virt(?:storage|network|nodedev|interface|secret|nwfilter|log|lock)d)-sock': "
    r"(?:No such file or directory|Connection refused)"
)


def part_away(message: str) -> errors.PartAway | None:
    """Which of the daemons behind the one that answers does not run; None where it is not about them."""
    found = _PART.search(message)
    return errors.PartAway(params={"daemon": found[1]}) if found else None


def text_instead_of_an_answer(message: str) -> errors.VirtError | None:
    """What it means that libvirt read text as a length; None where it did not.

    The number is the text's beginning, which tells a shell that refuses logins from one that talks.
    """
    found = _TOO_LARGE.search(message)
    if not found:
        return None
    begins = ((int(found[1]) + 4) & 0xFFFFFFFF).to_bytes(4, "big").decode("latin-1")
    if begins == _NOLOGIN:
        return errors.Denied(
            gettext_noop("The user's login shell on the host lets nobody in (nologin)."),
            hint=gettext_noop("On the host, as root: usermod --shell /bin/bash USER. Or use another user."),
        )
    if begins in _OTHER_SERVERS:
        return errors.Unreachable(
            gettext_noop("At this address and port something else answers than libvirt."),
            hint=gettext_noop("Check the port: libvirt's own are 16509 for tcp and 16514 for tls."),
        )
    return errors.Unreachable(
        gettext_noop('The host sent text, beginning with "%(text)s", where libvirt should speak.'),
        hint=gettext_noop(
            "The user's login shell prints it, from .bashrc, .profile or /etc/profile.d: it has to be silent where "
            "nobody sits at a terminal. To see it, run: ssh USER@HOST true."
        ),
        params={"text": begins if begins.isprintable() else "…"},
    )
