"""Build the icons' sprite."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webvirt.icons import sprite


class Command(BaseCommand):
    help = "Builds the sprite of icons from node_modules; run it before collectstatic."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        made = settings.STATIC_BUILD / "webvirt" / "icons.svg"
        made.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.write_bytes(sprite(settings.NODE / "@tabler" / "icons" / "icons" / "outline"))
