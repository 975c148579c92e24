"""`manage.py monitor`: hold a connection to every host, and keep inventory true."""

import logging
import os
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from monitor.supervisor import Supervisor


class Command(BaseCommand):
    help = "Read the hosts, and keep what is known of them true. Several may run, on any machine: they share the hosts."

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = Supervisor()

        def end(number: int, frame: FrameType | None) -> None:
            supervisor.stop()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        supervisor.run()
        logging.shutdown()
        # A thread may wait for a silent host still, and an interpreter that ends with libvirt's loop running hangs.
        os._exit(0)
