"""`manage.py host add NAME URI`, `manage.py host list` and `manage.py host check NAME`."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from hosts.checks import Row, told
from hosts.models import Host
from hosts.services import add_host, check_host
from tasks import services as tasks
from tasks.errors import Invalid, Refused
from tasks.models import Task

LOOK_SECONDS = 0.1
# A worker that is free takes a task within milliseconds; one that is not has a task of minutes at most.
UNTAKEN_SECONDS = 15.0


class Command(BaseCommand):
    help = "Adds a host, lists the hosts with their states, or says what is wrong with one."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Add a host; the monitor connects to it by itself.")
        add.add_argument("name")
        add.add_argument("uri", help="libvirt's address, as qemu:///system")
        verbs.add_parser("list", help="List the hosts, one a line: name, state, address.")

        check = verbs.add_parser("check", help="Look at a host line by line; exit status 0 only if nothing failed.")
        check.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "add":
            self.add(options["name"], options["uri"])
        elif options["verb"] == "check":
            self.check_host(options["name"])
        else:
            self.list()

    def actor(self) -> User:
        """Whoever has this shell has the database: changes are written down as the first administrator's."""
        actor = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if actor is None:
            raise CommandError(_("There is no administrator yet; run script/server or `manage.py setup` first."))
        return actor

    def add(self, name: str, uri: str) -> None:
        actor = self.actor()
        try:
            host = add_host(name=name, uri=uri, actor=actor)
        except Invalid as error:
            words = [str(word) for several in error.errors.values() for word in several]
            raise CommandError(" ".join(words))
        self.stdout.write(_("%(name)s was added with the number %(id)s.") % {"name": host.name, "id": host.pk})

    def list(self) -> None:
        hosts = list(Host.objects.with_status())
        width = max((len(host.name) for host in hosts), default=0)
        for host in hosts:
            status = host.status
            words = f"  {status.why}" if status.why else ""
            self.stdout.write(f"{host.name:<{width}}  {status.state:<10}  {host.uri}{words}")

    def check_host(self, name: str) -> None:
        """Have a worker look at the host, which is what will use it, and print its lines as they are found."""
        host = Host.objects.filter(name=name).first()
        if host is None:
            raise CommandError(_("There is no host %(name)s; `manage.py host list` lists them.") % {"name": name})
        task = check_host(host=host, actor=self.actor())
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
            tasks.cancel(task=task, actor=self.actor())
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
