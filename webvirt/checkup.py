"""What `doctor` looks at: each part says whether it works, and what to do if it does not."""

import grp
import http.client
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from hosts.models import HostStatus
from networks.models import Network
from storage.models import Pool
from tasks.models import Task
from webvirt import alive, processes
from webvirt.celery import app as celery
from webvirt.health import redis_answers
from webvirt.herald import address, login_answers
from webvirt.prepare import LOCAL_URI

IMAGES = Path("/var/lib/libvirt/images")
LEAST_ROOM = 1024**3  # bytes
CELERY_SECONDS = 3.0
ERROR_KEYS = ("title", "detail", "hint")
DEFAULTS = ("storage.make_default_pool", "networks.make_default_network")


class Verdict(Enum):
    OK = "ok"
    SLOW = "slow"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Finding:
    """One line: `words` say what was found, and for what does not work also what to do."""

    part: str
    verdict: Verdict
    words: str


def _found(part: str, works: object, good: str, bad: str, otherwise: Verdict = Verdict.FAILED) -> Finding:
    return Finding(part, Verdict.OK if works else otherwise, good if works else bad)


def findings() -> Iterator[Finding]:
    """All parts, in the order in which one needs the other."""
    yield cpu()
    yield kvm()
    yield redis_server()
    found = database()
    yield found
    if found.verdict is Verdict.OK:
        yield from daemons()
    yield from programs()
    yield from rooms()
    if found.verdict is Verdict.OK:
        yield from failed_defaults()


def cpu() -> Finding:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    return _found(
        _("CPU virtualisation"),
        os.uname().machine != "x86_64" or flags & {"vmx", "svm"},
        _("guests run on the processor itself"),
        _("no vmx or svm: guests run in QEMU's own emulation, many times slower. Switch it on in the firmware."),
        Verdict.SLOW,
    )


def kvm() -> Finding:
    part, device = "/dev/kvm", Path("/dev/kvm")
    try:
        found = device.stat()
    except FileNotFoundError:
        return Finding(part, Verdict.SLOW, _("not there: guests run in QEMU's own emulation. Try `modprobe kvm`."))
    by_group = found.st_mode & 0o060 == 0o060 and grp.getgrgid(found.st_gid).gr_name == "kvm"
    return _found(
        part,
        by_group or found.st_mode & 0o006 == 0o006,
        _("QEMU's user can open it"),
        _("QEMU's user cannot open it. Stop libvirtd, `chgrp kvm /dev/kvm; chmod 660 /dev/kvm`, start libvirtd."),
    )


def _runs(name: str) -> bool:
    return any(_comm(entry) == name for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _comm(entry: Path) -> str:
    try:
        return (entry / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def daemons() -> Iterator[Finding]:
    """The host's own services, and what the monitor says of libvirtd."""
    local = HostStatus.objects.filter(host__uri=LOCAL_URI).select_related("host").first()
    if local is None:
        return
    for name in ("dbus-daemon", "virtlogd"):
        started = _runs(name) or Path("/run/systemd/system").is_dir()  # systemd starts them when they are asked for
        yield _found(name, started, _("runs"), _("does not run. `script/server` starts it."))
    if not _runs("libvirtd"):
        words = _("does not run. Start it: `systemctl start libvirtd`, or `script/server` where there is no systemd.")
        yield Finding("libvirtd", Verdict.FAILED, words)
        return
    yield _found(
        "libvirtd",
        local.is_up and local.synced_at,
        _("the monitor is connected to %(host)s") % {"host": local.host.name},
        _("the monitor is not connected to %(host)s. %(why)s") % {"host": local.host.name, "why": _words(local.error)},
    )


def _words(error: dict[str, Any] | None) -> str:
    """What a row's error says, in the words of a page."""
    error = error or {}
    title, *rest = (_(error[key]) % error.get("params", {}) if error.get(key) else "" for key in ERROR_KEYS)
    return f"{title}: {' '.join(words for words in rest if words)}" if title else ""


def redis_server() -> Finding:
    log = settings.DATA / "log" / "redis.log"
    return _found("Redis", redis_answers(), _("answers"), _("does not answer. Look into %(log)s.") % {"log": log})


def database() -> Finding:
    part = _("database")
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        return Finding(part, Verdict.FAILED, _("does not answer: %(why)s") % {"why": error})
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _found(
        part,
        not pending,
        _("answers, and its tables are of this version"),
        _("its tables are of another version. Run `python manage.py migrate`."),
    )


def programs() -> Iterator[Finding]:
    """Each process of ours: its master lives, and it does what it is there for."""
    answers: dict[str, Callable[[], bool]] = {
        "web": lambda: socket_answers("web.sock", "/healthz", {http.client.OK}),
        "worker-quick": lambda: worker_answers("quick"),
        "worker-long": lambda: worker_answers("long"),
        "beat": lambda: alive.heard("beat"),
        "monitor": monitor_answers,
        "console": lambda: socket_answers("console.sock", "/console/ws", None),
        "nginx": login_answers,
    }
    for name in processes.PROGRAMS:
        if name not in answers:
            continue
        log = settings.DATA / "log" / f"{name}.log"
        if not processes.is_alive(settings.RUN, name):
            yield Finding(name, Verdict.FAILED, _("does not run. Look into %(log)s.") % {"log": log})
            continue
        try:
            works = answers[name]()
        except redis.RedisError:
            works = False
        bad = _("runs, but does not answer. Look into %(log)s.")
        if name == "nginx":
            bad = _("runs, but there is no answer at %(address)s (WEBVIRT_BIND, WEBVIRT_PORT). Look into %(log)s.")
        yield _found(name, works, _("answers"), bad % {"log": log, "address": address()})


def monitor_answers() -> bool:
    """Whether this machine's monitor goes round; others may share the hosts with it."""
    recorded = processes.recorded_group(settings.RUN, "monitor")
    leader = processes.Process.look(recorded[0]) if recorded else None
    return leader is not None and alive.heard("monitor", processes.signature(leader))


def socket_answers(name: str, path: str, wanted: set[int] | None) -> bool:
    """Whether HTTP is spoken on a unix socket in RUN, with one of the wanted status codes (None: any)."""
    http_connection = http.client.HTTPConnection("localhost", timeout=5)
    try:
        http_connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        http_connection.sock.settimeout(5)
        http_connection.sock.connect(str(settings.RUN / name))
        http_connection.request("GET", path)
        status = http_connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        http_connection.close()
    return wanted is None or status in wanted


def worker_answers(queue: str) -> bool:
    """Whether this machine's Celery worker of the queue answers within three seconds."""
    name = f"{queue}@{socket.gethostname()}"
    return bool(celery.control.ping(destination=[name], timeout=CELERY_SECONDS, limit=1))


def rooms() -> Iterator[Finding]:
    """Room on the disks: ours, and that of the default pool."""
    for path in (settings.DATA, IMAGES):
        if path.exists():
            free = shutil.disk_usage(path).free
            words = _("%(gib).1f GiB free") % {"gib": free / 1024**3}
            part = _("room in %(path)s") % {"path": path}
            yield _found(part, free >= LEAST_ROOM, words, _("%(free)s. Make room.") % {"free": words})


def failed_defaults() -> Iterator[Finding]:
    """What the first start could not make on this machine, and nobody made since."""
    for task in Task.objects.filter(kind__in=DEFAULTS, state=Task.State.FAILED):
        where = {"host_id": task.host_id, "name": task.object_name}
        pool = Pool.objects.filter(**where, state=Pool.State.ACTIVE)
        network = Network.objects.filter(**where, active=True)
        if not (pool if task.object_type == "pool" else network).exists():
            yield Finding(f"{task.object_type} {task.object_name}", Verdict.FAILED, _words(task.error))
