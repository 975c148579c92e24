"""Saying that Webvirt is ready, once it is."""

import getpass
import http.client
import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext as _

from hosts.models import HostStatus
from webvirt.health import redis_answers
from webvirt.prepare import ADMIN, LOCAL_URI, add_local_host

LOGIN_SECONDS = 120.0
SYNC_SECONDS = 15.0
UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


def announce(*, supervisor: int, password: str) -> int:
    """Add the first host, wait until the login page answers and the local host is read, then print the ready line.

    Returns the exit status: 1 when the supervisor ended or the login page does not answer in two minutes.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def wait(condition: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while os.getppid() == supervisor and time.monotonic() < until:
            if condition():
                return True
            time.sleep(0.1)
        return False

    # Where Redis answers, the tasks of the first host start at once.
    wait(redis_answers, LOGIN_SECONDS)
    add_local_host()
    if not wait(login_answers, LOGIN_SECONDS):
        if os.getppid() == supervisor:
            words = _(
                "Webvirt does not answer. `python manage.py doctor` says what is wrong; the logs are in %(logs)s."
            )
            sys.stderr.write(words % {"logs": settings.DATA / "log"} + "\n")
        return 1
    wait(local_host_read, SYNC_SECONDS)
    sys.stdout.write("\n".join(ready_lines(password)) + "\n")
    sys.stdout.flush()
    return 0


def login_answers() -> bool:
    """Whether the login page comes through nginx."""
    connection = http.client.HTTPConnection(UNSPECIFIED.get(settings.BIND, settings.BIND), settings.PORT, timeout=5)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def address() -> str:
    """Where pages are to be had on this machine, as the settings say."""
    name = f"[{settings.BIND}]" if ":" in settings.BIND else settings.BIND
    return f"http://{name}:{settings.PORT}/"


def local_host_read() -> bool:
    """Whether this machine's inventory is in the database, or there is none to wait for."""
    local = HostStatus.objects.filter(host__uri=LOCAL_URI)
    return not settings.LOCAL_HOST or not local.exists() or local.filter(synced_at__isnull=False).exists()


def ready_lines(password: str) -> list[str]:
    """The line that scripts wait for, and a second one where the address is only good on this machine."""
    line = f"Webvirt is ready: {address()}  user: {ADMIN}"
    lines = [f"{line}  password: {password}" if password else line]
    if is_loopback(settings.BIND) and os.environ.get("SSH_CONNECTION"):
        there = f"{getpass.getuser()}@{os.environ['SSH_CONNECTION'].split()[2]}"
        tunnel = f"ssh -L {settings.PORT}:127.0.0.1:{settings.PORT} {there}"
        lines.append(_("From your own machine: %(tunnel)s  (or set WEBVIRT_BIND)") % {"tunnel": tunnel})
    return lines


def is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return ipaddress.ip_address(socket.gethostbyname(name)).is_loopback
