"""The program that opens guests' displays."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from console.service import serve


class Command(BaseCommand):
    help = "Serve the displays of guests as WebSockets, on a unix socket that nginx passes them to."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        serve(settings.RUN / "console.sock")
