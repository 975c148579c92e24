"""Search: one field that finds guests, hosts, pools, volumes, networks and pages, and does what it is told."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Case, IntegerField, Model, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.rights import Action, allowed, may, most
from hosts.drivers import offers
from hosts.models import Host, HostStatus
from hosts.services import manages_any
from instances.commands import COMMANDS, Command, rest_after
from instances.listing import HEAVY, HEAVY_OF_HOSTS, matching
from instances.models import Instance
from networks.models import Network
from storage.models import Pool, Volume
from storage.uploads import STORE
from webvirt.listing import searched

M = TypeVar("M", bound=Model)

MOST_OF_KIND = 6
MOST_COMMANDED = 20  # guests looked at for a command
MOST_HITS = 20
MOST_RECENT = 8
EXACT, STARTS, HOLDS, ASIDE = range(4)


@dataclass(frozen=True)
class Hit:
    """Something found, by how well it is named. `key` is what it is remembered by.

    Choosing it goes to `url`; where `toast` says something, it posts there instead.
    """

    key: str
    icon: str
    title: str
    aside: str
    url: str
    rank: int
    toast: str = ""
    toast_done: str = ""


@dataclass(frozen=True)
class Place:
    """A page that is found by its name, or by `more` words for it."""

    key: str
    icon: str
    title: Promise
    view: str
    more: Promise | str = ""

    def hit(self, rank: int) -> Hit:
        return Hit(f"page:{self.key}", self.icon, str(self.title), _("page"), reverse(self.view), rank)


PLACES = (
    Place("overview", "layout-dashboard", gettext_lazy("Overview"), "overview"),
    Place(
        "instances",
        "device-desktop",
        gettext_lazy("Instances"),
        "instances:list",
        gettext_lazy("virtual machines, guests"),
    ),
    Place("hosts", "server-2", gettext_lazy("Hosts"), "hosts:list"),
    Place("storage", "database", gettext_lazy("Storage"), "storage:list", gettext_lazy("pools, volumes, images")),
    Place("networks", "network", gettext_lazy("Networks"), "networks:list"),
    Place("tasks", "list-check", gettext_lazy("Tasks"), "tasks:list", gettext_lazy("history, log")),
    Place("api", "code", gettext_lazy("API"), "api:docs", gettext_lazy("documentation")),
    Place("tokens", "key", gettext_lazy("API tokens"), "accounts:tokens", gettext_lazy("account")),
    Place("password", "lock", gettext_lazy("Change password"), "accounts:password", gettext_lazy("account")),
)
NEW = (
    Place("new", "plus", gettext_lazy("New instance"), "instances:create", gettext_lazy("create a guest")),
    Place("new-network", "plus", gettext_lazy("New network"), "networks:create", gettext_lazy("make a network")),
)
FOR_ADMINS = (
    Place("new-host", "plus", gettext_lazy("Add host"), "hosts:add", gettext_lazy("connect a machine")),
    Place("new-pool", "plus", gettext_lazy("New pool"), "storage:pool-create", gettext_lazy("make a pool")),
)
UPLOAD = gettext_lazy("Upload")


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What `?q=` finds; where it says nothing, the `?recent=` choices and the pages. As a page, or its list alone."""
    text = " ".join(searched(request).split())
    found = Search(request.user)
    hits = found.hits(text) if text else found.first(request.GET.get("recent", "").split(","))
    template = "instances/_hits.html" if request.headers.get("X-Webvirt-Live") else "instances/search.html"
    return render(request, template, {"hits": hits, "text": text})


def rank_of(name: str, text: str) -> int:
    """How well `text` names it, the best first."""
    name, text = name.casefold(), text.casefold()
    return EXACT if name == text else STARTS if name.startswith(text) else HOLDS


def best(rows: QuerySet[M], text: str, most: int = MOST_OF_KIND) -> list[M]:
    """The first of the rows; those whose name is `text`, or starts with it, before the others."""
    rank = Case(
        When(name__iexact=text, then=Value(EXACT)),
        When(name__istartswith=text, then=Value(STARTS)),
        default=Value(HOLDS),
        output_field=IntegerField(),
    )
    return list(rows.order_by(rank, "name", "pk")[:most])


def of_ids(rows: QuerySet[M], ids: set[int]) -> list[M]:
    return list(rows.filter(pk__in=ids)) if ids else []


class Search:
    """The whole fleet for one viewer: as many queries for a thousand guests as for ten."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.guests = Instance.objects.visible_to(user).with_host().defer(*HEAVY)
        self.hosts = Host.objects.visible_to(user).with_status()
        self.pools = Pool.objects.visible_to(user).with_host().defer("xml", *HEAVY_OF_HOSTS)
        self.volumes = Volume.objects.visible_to(user).select_related("pool__host").defer("pool__xml")
        self.networks = Network.objects.visible_to(user).select_related("host").defer("xml")

    def hits(self, text: str) -> list[Hit]:
        guests = best(matching(self.guests, text), text)
        named = Q(name__icontains=text)
        found = [
            *(self.guest_hit(guest, text) for guest in guests),
            *self.told(text),
            *self.pages(text),
            *self.uploads(text),
            *(self.host_hit(host, text) for host in best(self.hosts.matching(text), text)),
            *(self.pool_hit(pool, text) for pool in best(self.pools.filter(named), text)),
            *(self.volume_hit(volume, text) for volume in best(self.volumes.filter(named | Q(path=text)), text)),
            *(self.network_hit(one, text) for one in best(self.networks.filter(named | Q(bridge=text)), text)),
        ]
        if guests and (len(guests) == 1 or rank_of(guests[0].name, text) == EXACT):
            found += self.orders(guests[:1], COMMANDS, ASIDE)
        return [*sorted(found, key=lambda hit: hit.rank)[:MOST_HITS], self.tasks(text)]

    def first(self, keys: Sequence[str]) -> list[Hit]:
        """Before anything is typed: what was chosen lately, as far as it is there, and the pages."""
        recent = self.remembered(keys[:MOST_RECENT])
        shown = {hit.key for hit in recent}
        return recent + [hit for hit in self.pages("") if hit.key not in shown]

    def told(self, text: str) -> list[Hit]:
        """What `text` tells to do, for guests that can: "start web" may mean web-1 and web-2."""
        rests = {command: rest for command in COMMANDS if (rest := command.rest(text)) is not None}
        if not rests:
            return []
        rest = max(rests.values(), key=len)
        commands = [command for command in rests if rests[command] == rest]
        states = frozenset[Instance.State]().union(*(command.states for command in commands))
        able = self.guests.filter(host__status__state=HostStatus.State.UP, state__in=states)
        guests = best(matching(able, rest) if rest else able, rest, MOST_COMMANDED)
        return self.orders(guests, commands, EXACT if rest else STARTS)[:MOST_OF_KIND]

    def orders(self, guests: Sequence[Instance], commands: Iterable[Command], rank: int) -> list[Hit]:
        rights = most(self.user, [guest.ref for guest in guests])
        return [
            self.order_hit(command, guest, rank)
            for command in commands
            for guest in guests
            if guest.ref in rights and command.fits(guest, rights[guest.ref])
        ]

    def pages(self, text: str) -> list[Hit]:
        places = [*PLACES, *(NEW if manages_any(self.user) else ())]
        places += FOR_ADMINS if may(self.user, Action.ADMINISTER, None) else ()
        wanted = text.casefold()
        return [
            place.hit(min(rank_of(str(place.title), text), HOLDS))
            for place in places
            if wanted in f"{place.title} {place.more}".casefold()
        ]

    def uploads(self, text: str) -> list[Hit]:
        """Where a file can be brought: "upload", and perhaps the start of a pool's name."""
        rest = rest_after(text, str(UPLOAD))
        if rest is None:
            return []
        active = self.pools.filter(state=Pool.State.ACTIVE, host__status__state=HostStatus.State.UP)
        pools = best(active.filter(name__icontains=rest), rest, MOST_COMMANDED)
        return self.upload_hits(pools, EXACT if rest else STARTS)[:MOST_OF_KIND]

    def upload_hits(self, pools: Sequence[Pool], rank: int) -> list[Hit]:
        return [
            Hit(
                f"upload:{pool.pk}",
                "upload",
                _("Upload to %(name)s") % {"name": pool.name},
                _("pool on %(host)s") % {"host": pool.host.name},
                reverse("storage:upload", args=[pool.pk]),
                rank,
            )
            for pool in allowed(self.user, pools, Action.MANAGE)
            if offers(pool.host, STORE)
        ]

    def remembered(self, keys: Sequence[str]) -> list[Hit]:
        """The hits of these keys, in their order; what is gone, or was not granted, is left out."""
        ids: dict[str, set[int]] = defaultdict(set)
        for key in keys:
            kind, _colon, rest = key.partition(":")
            number = rest.partition(":")[0]
            if number.isascii() and number.isdigit() and len(number) < 19:
                ids[kind].add(int(number))
        hits = [hit for hit in self.pages("") if hit.key in keys]
        guests = of_ids(self.guests, ids["instance"])
        hits += [self.guest_hit(guest, "") for guest in guests] + self.orders(guests, COMMANDS, HOLDS)
        hits += [self.host_hit(host, "") for host in of_ids(self.hosts, ids["host"])]
        hits += [self.pool_hit(pool, "") for pool in of_ids(self.pools, ids["pool"])]
        hits += [self.volume_hit(volume, "") for volume in of_ids(self.volumes, ids["volume"])]
        hits += [self.network_hit(network, "") for network in of_ids(self.networks, ids["network"])]
        hits += self.upload_hits(of_ids(self.pools, ids["upload"]), HOLDS)
        by_key = {hit.key: hit for hit in hits}
        return [by_key[key] for key in dict.fromkeys(keys) if key in by_key]

    def guest_hit(self, guest: Instance, text: str) -> Hit:
        url = reverse("instances:detail", args=[guest.pk])
        aside = self.of_guest(guest)
        return Hit(f"instance:{guest.pk}", "device-desktop", guest.name, aside, url, rank_of(guest.name, text))

    def of_guest(self, guest: Instance) -> str:
        words = {"host": guest.host.name, "state": str(guest.get_state_display()).lower()}
        return _("guest on %(host)s, %(state)s") % words

    def order_hit(self, command: Command, guest: Instance, rank: int) -> Hit:
        name = {"name": guest.name}
        return Hit(
            f"instance:{guest.pk}:{command.name}",
            command.icon,
            str(command.title) % name,
            self.of_guest(guest),
            reverse(command.view, args=[guest.pk]),
            rank,
            toast=str(command.verb.doing) % name if command.verb else "",
            toast_done=str(command.verb.done) % name if command.verb else "",
        )

    def host_hit(self, host: Host, text: str) -> Hit:
        aside = _("host, %(state)s") % {"state": str(host.status.get_state_display()).lower()}
        url = reverse("hosts:detail", args=[host.pk])
        return Hit(f"host:{host.pk}", "server-2", host.name, aside, url, rank_of(host.name, text))

    def pool_hit(self, pool: Pool, text: str) -> Hit:
        aside = _("pool on %(host)s") % {"host": pool.host.name}
        url = reverse("storage:detail", args=[pool.pk])
        return Hit(f"pool:{pool.pk}", "database", pool.name, aside, url, rank_of(pool.name, text))

    def volume_hit(self, volume: Volume, text: str) -> Hit:
        aside = _("volume in %(pool)s on %(host)s") % {"pool": volume.pool.name, "host": volume.pool.host.name}
        url = f"{reverse('storage:detail', args=[volume.pool_id])}?{urlencode({'q': volume.name})}"
        return Hit(f"volume:{volume.pk}", "disc", volume.name, aside, url, rank_of(volume.name, text))

    def network_hit(self, network: Network, text: str) -> Hit:
        aside = _("network on %(host)s") % {"host": network.host.name}
        url = reverse("networks:detail", args=[network.pk])
        return Hit(f"network:{network.pk}", "network", network.name, aside, url, rank_of(network.name, text))

    def tasks(self, text: str) -> Hit:
        url = f"{reverse('tasks:list')}?{urlencode({'q': text})}"
        return Hit("", "history", _("Tasks “%(text)s”") % {"text": text}, _("everything asked of it"), url, ASIDE)
