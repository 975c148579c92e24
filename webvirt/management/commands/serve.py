"""`manage.py serve`: prepare, then become the supervisor of all programs, in the foreground."""

import errno
import fcntl
import os
import signal
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils.translation import gettext as _

from webvirt.herald import announce
from webvirt.places import private_folder
from webvirt.prepare import prepare
from webvirt.processes import PROGRAMS, end_group

# supervisord leaves 3 and 4 open for itself, and closes them in what it starts: the lock lives as long as it does.
LOCK_DESCRIPTOR = 3


class Command(BaseCommand):
    help = "Run everything in the foreground, until Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        take_lock()
        for name in PROGRAMS:
            end_group(settings.DATA, settings.RUN, name)
        check_port()
        private_folder(settings.DATA / "log")
        password = prepare()
        connections.close_all()
        supervisor = os.getpid()
        if os.fork() == 0:
            os.close(LOCK_DESCRIPTOR)
            os._exit(announce(supervisor=supervisor, password=password))
        become_supervisor()


def take_lock() -> None:
    """Hold DATA alone. Raises CommandError when another start holds it."""
    descriptor = os.open(settings.RUN / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            _("Webvirt runs already on %(data)s. End it first, or give this one a folder of its own by WEBVIRT_DATA.")
            % {"data": settings.DATA}
        )
    if descriptor != LOCK_DESCRIPTOR:
        os.dup2(descriptor, LOCK_DESCRIPTOR)
        os.close(descriptor)
    os.set_inheritable(LOCK_DESCRIPTOR, True)


def check_port() -> None:
    """Raises CommandError when nginx could not listen on WEBVIRT_BIND and WEBVIRT_PORT."""
    place = {"bind": settings.BIND, "port": settings.PORT}
    try:
        family, kind, _protocol, _name, address = socket.getaddrinfo(
            settings.BIND, settings.PORT, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                _("Port %(port)d on %(bind)s is taken by another program. Choose another by WEBVIRT_PORT.") % place
            )
        raise CommandError(
            _("Cannot listen on %(bind)s port %(port)d: %(why)s. See WEBVIRT_BIND and WEBVIRT_PORT.")
            % {**place, "why": error.strerror}
        )


def become_supervisor() -> None:
    conf = settings.BASE_DIR / "deploy" / "supervisor" / "supervisord.conf"
    private_redis = not os.environ.get("WEBVIRT_REDIS_URL")
    os.environ.pop("WEBVIRT_ADMIN_PASSWORD", None)
    os.environ.update(
        WEBVIRT_DATA=str(settings.DATA),
        WEBVIRT_RUN=str(settings.RUN),
        WEBVIRT_PRIVATE_REDIS="true" if private_redis else "false",
    )
    os.execv(sys.executable, [sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)])  # noqa: S606 - no shell
