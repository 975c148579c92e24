"""`manage.py doctor`: whether each part works, and what to do if not."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from webvirt.checkup import Verdict, findings


class Command(BaseCommand):
    help = "Say of each part whether it works, and what to do if not. Exit status 0 only if all do."

    def handle(self, *args: Any, **options: Any) -> None:
        works = True
        for finding in findings():
            works = works and finding.verdict is not Verdict.FAILED
            self.stdout.write(f"{finding.verdict.value:<7} {finding.part}: {finding.words}")
        if not works:
            sys.exit(1)
