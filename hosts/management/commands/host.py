"""`manage.py host add NAME URI` and `manage.py host list`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from accounts.models import User
from hosts.models import Host
from hosts.services import add_host
from tasks.errors import Invalid


class Command(BaseCommand):
    help = "Adds a host, or lists the hosts with their states."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Add a host; the monitor connects to it by itself.")
        add.add_argument("name")
        add.add_argument("uri", help="libvirt's address, as qemu:///system")
        verbs.add_parser("list", help="List the hosts, one a line: name, state, address.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "add":
            self.add(options["name"], options["uri"])
        else:
            self.list()

    def add(self, name: str, uri: str) -> None:
        # Whoever has this shell has the database: the change is written down as the first administrator's.
        actor = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if actor is None:
            raise CommandError(_("There is no administrator yet; run script/server or `manage.py setup` first."))
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
