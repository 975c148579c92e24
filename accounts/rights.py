"""What a user may see and do.

Permission is a filter: `visible` narrows a queryset to what the user may see, so that what was not
granted looks like what does not exist; `require` then asks for more than seeing.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Grant, Role, User

M = TypeVar("M", bound=Model)

# What a grant names: its scope, its host and its object's uuid.
Place = tuple[str, int | None, UUID | None]


class Action(IntEnum):
    """What is asked for, in the order of the roles that may do it."""

    SEE = 1
    OPERATE = 2
    MANAGE = 3
    ADMINISTER = 4


ROLES_THAT_MAY: dict[Action, list[str]] = {
    Action.SEE: [Role.VIEWER, Role.OPERATOR, Role.MANAGER],
    Action.OPERATE: [Role.OPERATOR, Role.MANAGER],
    Action.MANAGE: [Role.MANAGER],
    Action.ADMINISTER: [],
}

MOST_OF_ROLE: dict[str, Action] = {
    Role.VIEWER: Action.SEE,
    Role.OPERATOR: Action.OPERATE,
    Role.MANAGER: Action.MANAGE,
}


@dataclass(frozen=True)
class Ref:
    """Names an object of a host without a foreign key.

    `type` is host, instance, pool, volume, network or upload. A volume is named by its pool's uuid
    and its own name; a host by its id alone.
    """

    type: str
    host_id: int | None
    uuid: UUID | None = None
    name: str = ""

    @property
    def scope(self) -> str:
        """The grant scope that covers it: a volume's rights are its pool's."""
        return Grant.Scope.POOL if self.type in ("volume", "upload") else self.type


class Named(Protocol):
    """What has a Ref."""

    @property
    def ref(self) -> Ref: ...


N = TypeVar("N", bound=Named)


@dataclass(frozen=True)
class Reach:
    """Where a user's grants lead: hosts as a whole, hosts of which something is granted, kinds granted one by one.

    `wide` is what may be done to all of a host, or, with None for the host, to everything.
    """

    everything: bool
    whole_hosts: frozenset[int]
    hosts: frozenset[int]
    scopes: frozenset[str]
    wide: frozenset[tuple[int | None, Action]]

    @classmethod
    def of(cls, user: User) -> Self:
        """Read it, or take what was read before under `read_once`."""
        known = _reaches.get()
        if known is None:
            return cls.read(user)
        if user.pk not in known:
            known[user.pk] = cls.read(user)
        return known[user.pk]  # type: ignore[return-value] # nobody narrows the class

    @classmethod
    def read(cls, user: User) -> Self:
        places = set(Grant.objects.of(user).values_list("scope", "host_id", "role").distinct())
        on_hosts = {
            (host, MOST_OF_ROLE[role])
            for scope, host, role in places
            if scope == Grant.Scope.HOST and host is not None  # else it would be everything
        }
        everywhere = {(None, MOST_OF_ROLE[role]) for scope, _host, role in places if scope == Grant.Scope.EVERYTHING}
        return cls(
            everything=bool(everywhere),
            whole_hosts=frozenset(host for host, _action in on_hosts),
            hosts=frozenset(host for _scope, host, _role in places if host is not None),
            scopes=frozenset(scope for scope, _host, _role in places),
            wide=frozenset(on_hosts | everywhere),
        )


_reaches: ContextVar[dict[Any, Reach] | None] = ContextVar("reaches", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Read a user's reach once within: for one request, or one batch of changes, and nothing that lasts."""
    token = _reaches.set({})
    try:
        yield
    finally:
        _reaches.reset(token)


def visible(queryset: QuerySet[M], user: Any, *, scope: str, host: str = "host_id", uuid: str = "uuid") -> QuerySet[M]:
    """`queryset` narrowed to what `user` may see.

    `scope` is the kind of grant that names such a row itself; `host` and `uuid` are the lookups
    that lead from a row to its host's id and to the uuid the grant names.
    """
    if not user.is_authenticated or not user.is_active:
        return queryset.none()
    if user.is_superuser:
        return queryset
    reach = Reach.of(user)
    if reach.everything:
        return queryset
    if scope == Grant.Scope.HOST:
        # Whoever may see something of a host may see that the host exists.
        return queryset.filter(**{f"{host}__in": reach.hosts})
    seen = Q(**{f"{host}__in": reach.whole_hosts})
    if scope in reach.scopes:
        # Not as a list: a user may be granted thousands, one by one.
        granted = Grant.objects.of(user).filter(scope=scope, host_id=OuterRef(host), object_uuid=OuterRef(uuid))
        seen |= Q(Exists(granted))
    return queryset.filter(seen)


def may(user: Any, action: Action, ref: Ref | None) -> bool:
    """Whether `user` may do `action` to the object; `None` stands for the whole installation."""
    if not user.is_authenticated or not user.is_active:
        return False
    if user.is_superuser:
        return True
    if ref is None or action == Action.ADMINISTER:
        return False
    covers = Q(scope=Grant.Scope.EVERYTHING) | Q(scope=Grant.Scope.HOST, host_id=ref.host_id)
    if ref.uuid is not None:
        covers |= Q(scope=ref.scope, host_id=ref.host_id, object_uuid=ref.uuid)
    return Grant.objects.of(user).filter(covers, role__in=ROLES_THAT_MAY[action]).exists()


def most(user: Any, refs: Iterable[Ref]) -> dict[Ref, Action]:
    """The most that `user` may do to each of many objects, in one query; what may not be seen is left out."""
    if not user.is_authenticated or not user.is_active:
        return {}
    if user.is_superuser:
        return dict.fromkeys(refs, Action.ADMINISTER)
    wanted = list(refs)
    reach = Reach.of(user)
    found: dict[Place, Action] = {}

    def note(place: Place, action: Action) -> None:
        found[place] = max(found.get(place, action), action)

    for host, action in reach.wide:
        note((Grant.Scope.EVERYTHING if host is None else Grant.Scope.HOST, host, None), action)
    if one_by_one := {ref.scope for ref in wanted if ref.uuid is not None} & reach.scopes:
        grants = Grant.objects.of(user).filter(scope__in=one_by_one)
        for scope, host_id, uuid, role in grants.values_list("scope", "host_id", "object_uuid", "role"):
            note((scope, host_id, uuid), MOST_OF_ROLE[role])
    answer = {}
    for ref in wanted:
        places: list[Place] = [(Grant.Scope.EVERYTHING, None, None), (Grant.Scope.HOST, ref.host_id, None)]
        if ref.uuid is not None:
            places.append((ref.scope, ref.host_id, ref.uuid))
        actions = [found[place] for place in places if place in found]
        if actions:
            answer[ref] = max(actions)
    return answer


def whole(hosts: QuerySet[M], user: Any, action: Action) -> QuerySet[M]:
    """`hosts` narrowed to those to all of which `user` may do `action`."""
    if not user.is_authenticated or not user.is_active:
        return hosts.none()
    if user.is_superuser:
        return hosts
    places = {host for host, most_of_it in Reach.of(user).wide if most_of_it >= action}
    if None in places:
        return hosts
    return hosts.filter(pk__in=places) if places else hosts.none()


def allowed(user: Any, objects: Iterable[N], action: Action) -> list[N]:
    """Those of many objects to which `user` may do this, in one query beside theirs."""
    found = list(objects)
    rights = most(user, [one.ref for one in found])
    return [one for one in found if one.ref in rights and rights[one.ref] >= action]


def require(user: Any, action: Action, ref: Ref | None) -> None:
    """Raise PermissionDenied unless `user` may do `action` to the object."""
    if not may(user, action, ref):
        raise PermissionDenied(_("Your role does not allow this. Ask an administrator for it."))


def actor_of(user: Any) -> User:
    """The signed-in user, typed."""
    if not isinstance(user, User):
        raise PermissionDenied(_("Sign in first."))
    return user
