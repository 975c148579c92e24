"""`manage.py host`: hosts from the shell."""

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from hosts.checks import Row, told
from hosts.keys import OwnKeyUnreadable, own_public_key
from hosts.models import Host
from hosts.secrets import Secrets
from hosts.services import add_host, check_host, trust_fingerprint
from tasks import services as tasks
from tasks.errors import Refused
from tasks.models import Task

LOOK_SECONDS = 0.1
# A worker that is free takes a task within milliseconds; one that is not has a task of minutes at most.
UNTAKEN_SECONDS = 15.0

# Secrets come from files or standard input: a process's arguments are everybody's to read.
FILES = {
    "private_key": "an ssh key in OpenSSH's form, instead of Webvirt's own",
    "ca_certificate": "the authority's certificate for TLS (PEM)",
    "client_certificate": "Webvirt's certificate for TLS (PEM)",
    "client_key": "the key of Webvirt's certificate (PEM)",
}


class Command(BaseCommand):
    help = "Adds a host, trusts its key, lists the hosts with their states, or says what is wrong with one."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Add a host; the monitor connects to it by itself.")
        add.add_argument("name")
        add.add_argument("uri", help="libvirt's address, as qemu:///system")
        add.add_argument(
            "--password-stdin", action="store_true", help="read the password of the address' user from standard input"
        )
        for name, words in FILES.items():
            add.add_argument(f"--{name.replace('_', '-')}", type=Path, metavar="FILE", help=f"a file with {words}")
        verbs.add_parser("key", help="Print Webvirt's public ssh key, as a line of authorized_keys.")
        trust = verbs.add_parser("trust", help="Trust the ssh key that the host shows now.")
        trust.add_argument("name")
        trust.add_argument("fingerprint", help="as ssh-keygen -l prints it on the host itself: SHA256:…")
        check = verbs.add_parser("check", help="Look at a host line by line; exit status 0 only if nothing failed.")
        check.add_argument("name")
        verbs.add_parser("list", help="List the hosts, one a line: name, state, address.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            match options["verb"]:
                case "add":
                    self.add(options["name"], options["uri"], secrets_of(options))
                case "key":
                    self.print_key()
                case "trust":
                    self.trust(options["name"], options["fingerprint"])
                case "check":
                    self.check_host(options["name"])
                case _:
                    self.list()
        except Refused as error:
            words = [f"{option_of(name)}{word}" for name, several in error.errors.items() for word in several]
            raise CommandError(" ".join(words) or str(error.detail))

    def add(self, name: str, uri: str, secrets: Secrets) -> None:
        host = add_host(name=name, uri=uri, secrets=secrets, actor=first_administrator())
        self.stdout.write(_("%(name)s was added with the number %(id)s.") % {"name": host.name, "id": host.pk})

    def print_key(self) -> None:
        try:
            self.stdout.write(own_public_key())
        except OwnKeyUnreadable as error:
            raise CommandError(f"{_(error.detail) % error.params} {_(error.hint)}")

    def trust(self, name: str, fingerprint: str) -> None:
        host = host_named(name)
        key = trust_fingerprint(host, fingerprint=fingerprint, actor=first_administrator())
        words = {"name": host.name, "algorithm": key.algorithm}
        self.stdout.write(_("The %(algorithm)s key of %(name)s is trusted.") % words)

    def list(self) -> None:
        hosts = list(Host.objects.with_status())
        width = max((len(host.name) for host in hosts), default=0)
        for host in hosts:
            status = host.status
            words = f"  {status.why}" if status.why else ""
            self.stdout.write(f"{host.name:<{width}}  {status.state:<10}  {host.uri}{words}")

    def check_host(self, name: str) -> None:
        """Have a worker look at the host, which is what will use it, and print its lines as they are found."""
        host = host_named(name)
        task = check_host(host=host, actor=first_administrator())
        printed = 0
        while True:
            task.refresh_from_db()
            found = [line for line in told(task.result or []) if line["state"] != "waiting"]
            for line in found[printed:]:
                self.print(Row(line), host)
            printed = max(printed, len(found))
            if task.ended:
                break
            if task.state == Task.State.QUEUED and (timezone.now() - task.created_at).total_seconds() > UNTAKEN_SECONDS:
                self.give_up(task)
            time.sleep(LOOK_SECONDS)
        if words := task.error_words:
            raise CommandError(" ".join(words[part] for part in ("title", "detail", "hint") if words[part]))
        if task.state != Task.State.SUCCEEDED:
            raise CommandError(_("The check was ended before it was done."))
        if any(line["state"] == "failed" for line in found):
            sys.exit(1)

    def give_up(self, task: Task) -> None:
        # It may be taken at this very moment; then it is ended by its worker, and nothing is left either way.
        try:
            tasks.cancel(task=task, actor=first_administrator())
        except Refused as error:
            raise CommandError(str(error.detail))
        raise CommandError(
            _("No worker takes the check. Start Webvirt (script/server); `manage.py doctor` says what is wrong.")
        )

    def print(self, row: Row, host: Host) -> None:
        line = row.line
        self.stdout.write(f"{row.state_words:<10}  {line['label']:<13}  {line['title']}".rstrip())
        if not row.is_open:
            return
        for words in (line["detail"], line["hint"]):
            if words:
                self.stdout.write(f"            {words}")
        if row.commands:
            where = _("the machine of Webvirt") if line["where"] == "webvirt" else host.name
            self.stdout.write(f"            {_('On %(where)s, as root:') % {'where': where}}")
        for command in line["command"].splitlines():
            self.stdout.write(f"                {command}")
        if line["libvirt"]:
            self.stdout.write(f"            {_('What libvirt said')}: {line['libvirt']}")


def option_of(field: str) -> str:
    """What stands before words about a file, which may be about any of several; "" before others."""
    return f"--{field.replace('_', '-')}: " if field in FILES else ""


def host_named(name: str) -> Host:
    host = Host.objects.filter(name=name).first()
    if host is None:
        raise CommandError(_("There is no host %(name)s; `manage.py host list` lists them.") % {"name": name})
    return host


def first_administrator() -> User:
    """Whoever has this shell has the database: changes are written down as the first administrator's."""
    actor = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if actor is None:
        raise CommandError(_("There is no administrator yet; run script/server or `manage.py setup` first."))
    return actor


def secrets_of(options: dict[str, Any]) -> Secrets:
    """What was given to open the host."""
    try:
        # What is no text is no PEM either, and said to be none.
        given = {name: options[name].read_text(errors="replace") for name in FILES if options[name]}
    except OSError as error:
        raise CommandError(str(error))
    password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else ""
    return Secrets(password=password, **given)
