"""The line that lets Webvirt in by ssh: an administrator of the host pastes it there."""

import os
import pwd
from shlex import quote

from hosts.keys import own_public_key, public_key_of
from hosts.models import Host
from hosts.secrets import Secrets
from virt.transport import endpoint

# libvirt runs one program by ssh, and consoles are forwarded; nothing else is needed.
OPTIONS = "restrict,port-forwarding"
ROOT = "root"


def user_on(host: Host) -> str:
    """Whom we sign in as; ssh takes our own user's name where the address has none."""
    return endpoint(host.uri).user or pwd.getpwuid(os.geteuid()).pw_name


def line_for(host: Host, secrets: Secrets) -> str:
    """What makes that user where it is missing, and has it take the key that opens it. Raises OwnKeyUnreadable."""
    private = secrets.private_key
    return paste_line(user_on(host), public_key_of(private) if private else own_public_key())


def paste_line(user: str, key: str) -> str:
    """The line for a root's shell: pasted twice it changes nothing more; what fails in it ends it."""
    name = quote(user)
    # A key after a line without an end would be a part of that line, so it begins with one.
    add = (
        f"k={quote(f'{OPTIONS} {key}')}; f=~{name}/.ssh/authorized_keys; "
        'grep -qsxF "$k" "$f" || printf \'\\n%s\\n\' "$k" >>"$f"; chmod 600 "$f"'
    )
    if user == ROOT:
        return f"(set -e; install -d -m 700 ~{name}/.ssh; {add})"
    # With the password * nobody signs in by one, and sshd does not take the account for a locked one.
    make = f"id -u {name} >/dev/null 2>&1 || useradd -m -p '*' {name}; usermod -aG libvirt {name}"
    folder = f'install -d -m 700 -o {name} -g "$(id -g {name})" ~{name}/.ssh'
    return f'(set -e; {make}; {folder}; {add}; chown {name}: "$f")'
