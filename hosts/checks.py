"""The checklist of a host as people read it: its lines in words, and the last one with its age."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hosts.models import Host
from tasks.models import Task
from webvirt.units import size

KIND = "hosts.check"
SIZE = "_bytes"
SYSTEM = "  # "

LABELS: dict[str, Promise] = {
    "name": _("Name"),
    "port": _("Reach"),
    "host_key": _("Host key"),
    "key": _("Our key"),
    "shell": _("Shell"),
    "daemon": _("libvirt"),
    "permission": _("Permission"),
    "password": _("Password"),
    "certificates": _("Certificates"),
    "versions": _("Versions"),
    "kvm": _("KVM"),
    "pool": _("Storage"),
    "network": _("Network"),
    "memory": _("Memory"),
    "clock": _("Clock"),
    "console": _("Screens"),
}
STATES: dict[str, Promise] = {
    "ok": _("good"),
    "warning": _("warning"),
    "failed": _("failed"),
    "not_tried": _("not tried"),
    "waiting": _("waiting"),
}
WORDS = ("title", "detail", "hint")


def told(lines: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The kept lines (templates and params, as virt.checklist has them) in the reader's language."""
    return [_told(line) for line in lines]


def _told(line: dict[str, Any]) -> dict[str, str]:
    params = {name: size(int(value)) if name.endswith(SIZE) else value for name, value in line["params"].items()}
    # gettext("") is the catalogue's head, not nothing.
    words = {part: gettext(line[part]) % params if line[part] else "" for part in WORDS}
    kept = {part: line[part] for part in ("name", "state", "command", "where", "libvirt")}
    return {**kept, "label": str(LABELS[line["name"]]), **words}


@dataclass(frozen=True)
class Row:
    """A line on a page; `commands` are pairs of a command and the systems that it is for ("" for all)."""

    line: dict[str, str]

    @property
    def state_words(self) -> str:
        return str(STATES[self.line["state"]])

    @property
    def is_open(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.line["state"] in ("failed", "warning")

    @property
    def commands(self) -> list[tuple[str, str]]:
        parts = (one.partition(SYSTEM) for one in self.line["command"].splitlines())
        return [(command, systems) for command, _mark, systems in parts]


@dataclass(frozen=True)
class Check:
    """The last checklist of a host; `task` is None where none was asked for since it has its address."""

    host: Host
    task: Task | None

    @cached_property
    def rows(self) -> list[Row]:
        return [Row(line) for line in told(self.task.result or [])] if self.task else []

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.ended

    def _many(self, *states: str) -> int:
        return sum(row.line["state"] in states for row in self.rows)

    @property
    def passed(self) -> int:
        return self._many("ok")

    @property
    def needing(self) -> int:
        return self._many("failed", "warning")

    @property
    def overtaken(self) -> bool:
        """Whether it failed, and the host was reached after it had begun: what it found may be mended."""
        status = self.host.status
        began = self.task.started_at if self.task and self.task.ended else None
        return began is not None and status.is_up and began < status.since and bool(self._many("failed"))

    @property
    def good(self) -> bool:
        """Whether it has ended and nothing failed; warnings keep no host from being used."""
        ended = self.task is not None and self.task.state == Task.State.SUCCEEDED
        return ended and not self._many("failed")


def last_check(host: Host) -> Check:
    """The last checklist of the host at its present address."""
    asked = Task.objects.filter(kind=KIND, host_id=host.pk, arguments__uri=host.uri)
    return Check(host, asked.order_by("-pk").first())
