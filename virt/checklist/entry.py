"""Whether ssh lets us in: the host's key, our key, a login shell that runs commands."""

import time
from collections.abc import Generator
from dataclasses import dataclass
from getpass import getuser

from virt import ssh
from virt.access import Access
from virt.checklist.line import Budget, Line, State, ok
from virt.checklist.seen import LOOK_SECONDS, MARK, SCRIPT, Seen, parse
from virt.errors import TimedOut
from virt.transport import Endpoint
from virt.words import gettext_noop

# What a clock may differ by without harm, besides the second by which `date` counts.
CLOCK_SECONDS = 2
FINGERPRINT = "for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $key; done"


@dataclass(frozen=True)
class Entered:
    """What was found inside, and how many seconds the host's clock is ahead."""

    seen: Seen
    ahead: int


def lines(access: Access, peer: Endpoint, let_in: str, budget: Budget) -> Generator[Line, None, Entered | None]:
    """The lines of ssh, and what was seen inside; None when it could not be entered."""
    if access.ssh is None:
        yield Line(
            "host_key",
            State.FAILED,
            gettext_noop("not confirmed yet"),
            gettext_noop("Nobody has said yet that the key which the host shows is its own."),
            gettext_noop("Compare the fingerprint on the host with the one that Webvirt shows, and confirm it."),
            command=FINGERPRINT,
            where="host",
        )
        return None
    began = time.time()
    try:
        told = ssh.run(access, command=("sh", "-s"), stdin=SCRIPT, seconds=budget.at_most(LOOK_SECONDS))
    except ssh.NotEnded:
        yield from _slow_login(peer.user or getuser())
        return None
    except TimedOut:
        yield Line(
            "host_key",
            State.FAILED,
            gettext_noop("ssh gets no answer"),
            gettext_noop("The port is open, but nothing that speaks ssh answers there in time."),
            gettext_noop("Look whether sshd on the host is stuck or overloaded, and that the port is the one of sshd."),
            command="systemctl status ssh sshd",
            where="host",
        )
        return None
    ended = time.time()
    # libvirt goes through the same login.
    budget.allow(ended - began)
    before, mark, after = told.out.partition(MARK + "\n")
    refused = _refused(told.err, peer, let_in) if told.code == 255 and not mark else None
    if refused is not None and refused.name == "host_key":
        yield refused
        return None
    yield ok("host_key", gettext_noop("it is the confirmed one"))
    user = peer.user or getuser()
    if refused is not None:
        yield refused
        return None
    yield ok("key", gettext_noop("our key logs in as %(user)s"), user=user)
    if not mark:
        yield _no_shell(user, told)
        return None
    if before:
        yield _chatty(user, before)
        return None
    yield ok("shell", gettext_noop("commands run as %(user)s"), user=user)
    seen = parse(after)
    return Entered(seen, _ahead(seen.time, began, ended))


def _ahead(there: int, began: float, ended: float) -> int:
    """How far the host's clock is outside of the time in which it was asked, in seconds; 0 within it."""
    if there < int(began):
        return there - int(began)
    return max(0, there - int(ended))


def clock(ahead: int) -> Line:
    if abs(ahead) <= CLOCK_SECONDS:
        return ok("clock", gettext_noop("as here"))
    return Line(
        "clock",
        State.WARNING,
        gettext_noop("%(seconds)s s ahead of Webvirt's")
        if ahead > 0
        else gettext_noop("%(seconds)s s behind Webvirt's"),
        gettext_noop("Certificates, logs and the guests' own clocks go by it."),
        gettext_noop("Compare both machines' clocks with a third one: it may be Webvirt's that is wrong."),
        command="timedatectl set-ntp true && timedatectl",
        where="host",
        params={"seconds": str(abs(ahead))},
    )


def _refused(said: str, peer: Endpoint, let_in: str) -> Line:
    if "Host key verification failed" in said:
        return Line(
            "host_key",
            State.FAILED,
            gettext_noop("the host shows another key than the confirmed one"),
            gettext_noop("It was installed anew, the address is another machine's now, or somebody stands in between."),
            gettext_noop(
                "Compare the new fingerprint on the host itself, not over this network, and confirm it only if "
                "they are the same."
            ),
            command=FINGERPRINT,
            where="host",
            libvirt=said,
        )
    if "Permission denied" in said:
        user = peer.user or getuser()
        return Line(
            "key",
            State.FAILED,
            gettext_noop("our key is not accepted for %(user)s"),
            gettext_noop("The user %(user)s is not there, or its authorized_keys does not have this key."),
            gettext_noop(
                "If the key is there, sshd passes it over: the home folder or .ssh may be written by others, or "
                "AllowUsers leaves %(user)s out. sshd's own log on the host says which."
            ),
            command=let_in,
            where="host",
            params={"user": user},
            libvirt=said,
        )
    # Before there are keys ssh says at which step it was closed.
    if "Connection closed by" in said and "kex_exchange" not in said:
        user = peer.user or getuser()
        return Line(
            "key",
            State.FAILED,
            gettext_noop("%(user)s is sent away"),
            gettext_noop("The account has expired, or nobody but root is let in while the host starts or ends."),
            gettext_noop(
                "This lets the account live on. /etc/nologin on the host keeps all others out; its log says more."
            ),
            command=f"chage --expiredate -1 {user}; ls /etc/nologin /run/nologin",
            where="host",
            params={"user": user},
            libvirt=said,
        )
    if "kex_exchange_identification" in said:
        return Line(
            "host_key",
            State.FAILED,
            gettext_noop("ssh is hung up on before the key is shown"),
            gettext_noop(
                "sshd has as many that sign in as it takes, or keeps the address of Webvirt's machine out; or what "
                "answers there is no sshd."
            ),
            gettext_noop(
                "The log says which. MaxStartups in sshd_config lets more sign in; fail2ban and sshd's own penalties "
                "have lists of addresses that are never kept out."
            ),
            command="journalctl -u ssh -u sshd --since -10min; fail2ban-client banned",
            where="host",
            libvirt=said,
        )
    return Line(
        "host_key",
        State.FAILED,
        gettext_noop("ssh ends before the key is shown"),
        gettext_noop("What answers there is not sshd, or it finds no common ground with ssh here."),
        gettext_noop("Read what ssh said below, and sshd's own log on the host."),
        command="journalctl -u ssh -u sshd --since -10min",
        where="host",
        libvirt=said,
    )


def _slow_login(user: str) -> Generator[Line]:
    yield ok("host_key", gettext_noop("it is the confirmed one"))
    yield ok("key", gettext_noop("our key logs in as %(user)s"), user=user)
    yield Line(
        "shell",
        State.FAILED,
        gettext_noop("it takes too long to log in"),
        gettext_noop("The host lets %(user)s in, and then no command begins in time."),
        gettext_noop(
            "Look what each login waits for: .bashrc or /etc/profile.d, a home on a disk of the network, or a "
            "systemd-logind that does not answer."
        ),
        command="systemctl status systemd-logind; journalctl -u ssh -u sshd -u systemd-logind --since -10min",
        where="host",
        params={"user": user},
    )


def _no_shell(user: str, told: ssh.Ran) -> Line:
    said = f"{told.out}{told.err}".strip()
    if "password has expired" in said:
        return Line(
            "shell",
            State.FAILED,
            gettext_noop("%(user)s has to change a password first"),
            gettext_noop("Its password on the host has expired, and nothing else is done for it until it has another."),
            gettext_noop("Who comes with a key needs none; this lets it be as it is:"),
            command=f"chage --lastday -1 {user}",
            where="host",
            params={"user": user},
            libvirt=said,
        )
    return Line(
        "shell",
        State.FAILED,
        gettext_noop("%(user)s may not run commands"),
        gettext_noop("Its login shell is nologin, as service accounts have it, or its key is bound to one command."),
        gettext_noop("Give it a real shell, or use another user; in authorized_keys no command stands before the key."),
        command=f"usermod --shell /bin/sh {user}",
        where="host",
        params={"user": user},
        libvirt=said,
    )


def _chatty(user: str, printed: str) -> Line:
    return Line(
        "shell",
        State.FAILED,
        gettext_noop("its login shell prints text"),
        gettext_noop("libvirt takes what the shell of %(user)s prints for the host's answer, and gives up."),
        gettext_noop(
            "The command ends .bashrc early where nobody types. Other shells have files of their own, as .zshenv, "
            ".cshrc or /etc/profile."
        ),
        command=f"sed -i '1i case $- in *i*) ;; *) return ;; esac' ~{user}/.bashrc",
        where="host",
        params={"user": user},
        libvirt=printed.strip(),
    )
