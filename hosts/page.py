"""What the page of one host shows; each part is read when its template asks."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.rights import Action, may
from hosts.connect import Expiry, Steps
from hosts.drivers import keeps_changes, runs_qemu
from hosts.happenings import Line, lines_of
from hosts.lists import HostRow, rows_of, with_hour
from hosts.models import Device, Host
from hosts.twins import twins_of

TABS: dict[str, str | Promise] = {
    "overview": _("Overview"),
    "guests": _("Guests"),
    "pools": _("Storage"),
    "networks": _("Networks"),
    "devices": _("Devices"),
    "events": _("Events"),
}
# What higher rooms draw of this host: fetched by the page, since a room knows only those below it.
ELSEWHERE = {"guests": "instances:list", "pools": "storage:list", "networks": "networks:list"}


@dataclass(frozen=True)
class Tab:
    """A part of the page; `count` is None where it is not told."""

    name: str
    words: str | Promise
    count: int | None


class Page:
    """One host for one viewer; `tab` is the part that is shown."""

    def __init__(self, host: Host, user: Any, tab: str, query: QueryDict) -> None:
        self.host = host
        self.user = user
        self.tab = tab
        self.query = query

    @cached_property
    def row(self) -> HostRow:
        return with_hour(rows_of(Host.objects.filter(pk=self.host.pk), self.user))[0]

    @property
    def administers(self) -> bool:
        return may(self.user, Action.ADMINISTER, None)

    @property
    def twins(self) -> list[Host]:
        """What leads to the same machine, for whoever can remove it."""
        return twins_of(self.host) if self.administers else []

    @property
    def ending(self) -> Expiry | None:
        """When its certificates end, where that is soon or over, for whoever can give new ones."""
        expiry = Steps(self.host).expiry if self.administers else None
        return expiry if expiry and expiry.is_soon else None

    @property
    def runs_qemu(self) -> bool:
        """Whether it is said how its guests' processors are made."""
        return runs_qemu(self.host)

    @property
    def keeps_changes(self) -> bool:
        return keeps_changes(self.host)

    @cached_property
    def tabs(self) -> list[Tab]:
        """Its parts; a host whose driver tells of no devices has no such part."""
        load, host = self.row.load, self.host
        counts: dict[str, int | None] = {}
        if load is not None:
            counts = {"guests": load.guests, "pools": host.pools.count(), "networks": host.networks.count()}
        counts["devices"] = host.devices.count()
        return [Tab(name, words, counts.get(name)) for name, words in TABS.items() if name != "devices" or counts[name]]

    @property
    def elsewhere(self) -> str:
        """The list of a higher room that holds this part; "" where it is ours."""
        return ELSEWHERE.get(self.tab, "")

    @cached_property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds of devices that there are."""
        there = set(self.host.devices.values_list("kind", flat=True))
        return [(kind.value, str(kind.label)) for kind in Device.Kind if kind.value in there]

    @property
    def kind(self) -> str:
        asked = self.query.get("kind", "")
        return asked if asked in Device.Kind.values else ""

    @property
    def text(self) -> str:
        return self.query.get("q", "").strip().replace("\x00", "")

    @cached_property
    def devices(self) -> list[Device]:
        return list(Device.objects.filter(host=self.host).narrowed(self.kind, self.text))

    @cached_property
    def lines(self) -> list[Line]:
        """What happened in the last hour, the newest first."""
        return lines_of(self.host, self.user)
