"""The list of guests: what the query string asks for, and what a row shows."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import worded
from accounts.rights import Action, most
from hosts import figures
from hosts.models import Host
from instances.actions import DELETE, Verb, possible
from instances.drivers import has_console, has_picture, offers
from instances.models import Instance, Readable
from webvirt.listing import ordered, paged

SORTS = {
    "name": ["name"],
    "state": ["state", "name"],
    "host": ["host__name", "name"],
    "vcpus": ["vcpus", "name"],
    "memory": ["memory_bytes", "name"],
}
PER_PAGE = 25
FIGURES = ("cpu_percent", "memory_used_bytes", "disk_read_rate", "disk_write_rate", "net_rx_rate", "net_tx_rate")
UNKNOWN: dict[str, float | None] = dict.fromkeys(FIGURES)
HEAVY_OF_HOSTS = ("host__status__capabilities_xml", "host__status__domcapabilities_xml")
HEAVY = ("xml", "inactive_xml", *HEAVY_OF_HOSTS)

Figures = dict[str, float | None]


@dataclass(frozen=True)
class Row:
    """A guest in the list: `verbs` can be done now, `right` is the most that the viewer may do to it."""

    instance: Instance
    right: Action
    verbs: list[Verb]
    now: Figures
    spark: list[float | None]

    @property
    def live(self) -> bool:
        """Whether there are figures of it."""
        return self.instance.state == Instance.State.RUNNING and self.instance.stale_since is None

    @property
    def cpu_name(self) -> str:
        """What its processor load is called on the live channel."""
        return f"instance:{self.instance.pk}:cpu_percent"

    @property
    def console(self) -> bool:
        return self.right >= Action.OPERATE and has_console(self.instance) and self.instance.stale_since is None

    @property
    def peek(self) -> bool:
        """Whether its screen is shown beside its name."""
        return self.console and has_picture(self.instance)

    @property
    def selectable(self) -> bool:
        """Whether it can be chosen, to be acted on with others."""
        return self.right >= Action.OPERATE

    @property
    def can(self) -> str:
        """The names of what can be done with it now."""
        return " ".join([*(verb.name for verb in self.verbs), *([DELETE.name] if self.deletable else [])])

    @property
    def deletable(self) -> bool:
        return self.right >= Action.MANAGE and self.instance.stale_since is None and offers(self.instance, DELETE.name)

    @property
    def first(self) -> Verb | None:
        """The verb that is a button of its own."""
        return self.verbs[0] if self.verbs and not self.verbs[0].harsh else None

    @property
    def rest(self) -> list[Verb]:
        return [verb for verb in self.verbs if verb is not self.first]

    @property
    def aside(self) -> str:
        """A word beside the name on why it is in this state, where that is not what one expects."""
        return reason_words(self.instance)


def reason_words(instance: Instance) -> str:
    if instance.state == Instance.State.PAUSED and instance.reason == "ioerror":
        return _("by an error of its disk")
    if instance.state == Instance.State.SHUTOFF and instance.reason == "crashed":
        return _("after a fault")
    if instance.state == Instance.State.SHUTOFF and instance.has_managed_save:
        return _("saved")
    return ""


@dataclass(frozen=True)
class Query:
    """What the query string asks for; what it says wrongly is passed over."""

    text: str
    state: str
    host: int | None
    tag: str

    @classmethod
    def of(cls, query: QueryDict) -> "Query":
        state, host = query.get("state", ""), query.get("host", "")
        return cls(
            text=query.get("q", "").strip().replace("\x00", ""),
            state=state if state in Instance.State.values else "",
            host=int(host) if host.isascii() and host.isdigit() and len(host) < 19 else None,
            tag=query.get("tag", "").replace("\x00", ""),
        )

    @property
    def filtered(self) -> bool:
        return bool(self.text or self.state or self.host or self.tag)

    def narrow(self, queryset: QuerySet[Instance]) -> QuerySet[Instance]:
        if self.state:
            queryset = queryset.filter(state=self.state)
        if self.host:
            queryset = queryset.filter(host_id=self.host)
        if self.tag:
            queryset = tagged(queryset, self.tag)
        return matching(queryset, self.text) if self.text else queryset


def tagged(queryset: QuerySet[Instance], tag: str) -> QuerySet[Instance]:
    """Guests that have this tag."""
    return queryset.annotate(labels=Cast("tags", TextField())).filter(labels__contains=json.dumps(tag, cls=Readable))


def matching(queryset: QuerySet[Instance], text: str, otherwise: Q | None = None) -> QuerySet[Instance]:
    """Guests whose name, title, tags, UUID, MAC or IP address has `text` in it, or for which `otherwise` holds."""
    found = Q(name__icontains=text) | Q(title__icontains=text)
    if otherwise is not None:
        found |= otherwise
    if not set(text) & set('"[],\\'):  # what parts the words in the column
        queryset = queryset.annotate(labels=Cast("tags", TextField()))
        found |= Q(labels__icontains=text)
    if re.fullmatch(r"[0-9a-fA-F-]{4,36}", text):
        found |= Q(uuid__icontains=text)
    if re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{0,2}){1,5}", text):
        queryset = queryset.annotate(cards=Cast("interfaces", TextField()))
        found |= Q(cards__icontains=text)
    if re.fullmatch(r"(?=.*[.:])[0-9a-fA-F.:]{2,39}", text):
        queryset = queryset.annotate(reached=Cast("addresses", TextField()))
        found |= Q(reached__icontains=text)
    return queryset.filter(found)


def page_of(query: Query, request: HttpRequest) -> Page[Instance]:
    """The page of guests that the query string asks for."""
    guests = Instance.objects.visible_to(request.user).with_host().defer(*HEAVY)
    return paged(ordered(query.narrow(guests), request, SORTS, "name"), request, size=PER_PAGE)


def rows_of(instances: Iterable[Instance], user: Any) -> list[Row]:
    """Rows with figures and rights, in as many calls for one guest as for a hundred."""
    guests = list(instances)
    rights = most(user, [guest.ref for guest in guests])
    running = [guest.pk for guest in guests if guest.state == Instance.State.RUNNING and guest.stale_since is None]
    latest = figures.latest("instance", running)
    hours = figures.hour("instance", running)
    now = timezone.now()
    return [
        Row(
            instance=guest,
            right=rights[guest.ref],
            verbs=possible(guest, rights[guest.ref]),
            now=UNKNOWN | latest.get(guest.pk, {}),
            spark=figures.line(hours.get(guest.pk, []), "cpu_percent", now, latest.get(guest.pk)),
        )
        for guest in guests
        if guest.ref in rights
    ]


def tags_to_choose(user: Any) -> list[str]:
    """All tags of the guests that `user` may see."""
    guests = Instance.objects.visible_to
    sets = worded.values(
        "tags",
        user,
        lambda: guests(user).exclude(tags=[]).order_by().values_list(Cast("tags", TextField())).distinct(),
    )
    return sorted({tag for (tags,) in sets for tag in json.loads(tags)}, key=str.casefold)


def hosts_to_choose(user: Any) -> list[tuple[int, str]]:
    return worded.values("hosts", user, lambda: Host.objects.visible_to(user).values_list("pk", "name"))
