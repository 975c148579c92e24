"""`manage.py setup`: prepare DATA for programs that a system's own supervisor starts."""

import logging
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from webvirt.prepare import ADMIN, add_local_host, prepare


class Command(BaseCommand):
    help = "Migrate, collect static files, and make the first account and host where they are missing."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        # Redis is started after this: of what is asked for here rows know, and whoever reads them then.
        for name in ("live.channel", "tasks.services"):
            logging.getLogger(name).setLevel(logging.ERROR)
        password = prepare()
        add_local_host()
        if password:
            self.stdout.write(_("user: %(user)s  password: %(password)s") % {"user": ADMIN, "password": password})
