"""`manage.py setup`: prepare DATA for programs that a system's own supervisor starts."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from webvirt.prepare import ADMIN, add_local_host, prepare


class Command(BaseCommand):
    help = "Migrate, collect static files, and make the first account and host where they are missing."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        password = prepare()
        add_local_host()
        if password:
            self.stdout.write(_("user: %(user)s  password: %(password)s") % {"user": ADMIN, "password": password})
