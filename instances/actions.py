"""What can be done with a guest, in which state, and by whom: the one table for pages, API and services."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rights import Action
from instances.models import Instance
from tasks.errors import Refused
from tasks.registry import LONG, QUICK, titles

State = Instance.State

OFF = frozenset({State.SHUTOFF, State.CRASHED})
ALIVE = frozenset(State) - {State.SHUTOFF}
ANY = frozenset(State)


@dataclass(frozen=True)
class Verb:
    """One thing that can be done.

    `name` is the word in URLs and in the API, `states` those in which it can be asked for, `title` the
    task's (with %(name)s), `doing` and `done` what a toast says. `waits` is whether it takes its turn
    behind other changes of the guest; `harsh` whether the guest may lose data by it; `queue` is long where
    the worker waits for the guest, since a click must not wait behind guests that do not listen.
    """

    name: str
    label: Promise
    icon: str
    states: frozenset[Instance.State]
    right: Action
    title: Promise
    doing: Promise
    done: Promise
    waits: bool = True
    harsh: bool = False
    queue: str = QUICK

    @property
    def kind(self) -> str:
        return f"instances.{self.name}"


START = Verb(
    "start",
    gettext_lazy("Start"),
    "player-play",
    OFF,
    Action.OPERATE,
    gettext_lazy("Start %(name)s"),
    gettext_lazy("Starting %(name)s…"),
    gettext_lazy("%(name)s is running"),
)
SHUTDOWN = Verb(
    "shutdown",
    gettext_lazy("Shut down"),
    "power",
    frozenset({State.RUNNING}),
    Action.OPERATE,
    gettext_lazy("Shut down %(name)s"),
    gettext_lazy("Asking %(name)s to shut down…"),
    gettext_lazy("%(name)s is off"),
    queue=LONG,
)
REBOOT = Verb(
    "reboot",
    gettext_lazy("Reboot"),
    "rotate-clockwise",
    frozenset({State.RUNNING}),
    Action.OPERATE,
    gettext_lazy("Reboot %(name)s"),
    gettext_lazy("Asking %(name)s to reboot…"),
    gettext_lazy("%(name)s was asked to reboot"),
)
SUSPEND = Verb(
    "suspend",
    gettext_lazy("Pause"),
    "player-pause",
    frozenset({State.RUNNING}),
    Action.OPERATE,
    gettext_lazy("Pause %(name)s"),
    gettext_lazy("Pausing %(name)s…"),
    gettext_lazy("%(name)s is paused"),
)
RESUME = Verb(
    "resume",
    gettext_lazy("Resume"),
    "player-play",
    frozenset({State.PAUSED}),
    Action.OPERATE,
    gettext_lazy("Resume %(name)s"),
    gettext_lazy("Resuming %(name)s…"),
    gettext_lazy("%(name)s is running"),
)
RESET = Verb(
    "reset",
    gettext_lazy("Reset"),
    "refresh-alert",
    frozenset({State.RUNNING, State.PAUSED, State.CRASHED}),
    Action.OPERATE,
    gettext_lazy("Reset %(name)s"),
    gettext_lazy("Resetting %(name)s…"),
    gettext_lazy("%(name)s was reset"),
    waits=False,
    harsh=True,
)
DESTROY = Verb(
    "destroy",
    gettext_lazy("Force off"),
    "plug-x",
    ALIVE,
    Action.OPERATE,
    gettext_lazy("Force off %(name)s"),
    gettext_lazy("Forcing %(name)s off…"),
    gettext_lazy("%(name)s is off"),
    waits=False,
    harsh=True,
)
AUTOSTART = Verb(
    "autostart",
    gettext_lazy("Start with the host"),
    "bolt",
    ANY,
    Action.MANAGE,
    gettext_lazy("Change whether %(name)s starts with its host"),
    gettext_lazy("Changing %(name)s…"),
    gettext_lazy("%(name)s is changed"),
)
MEDIA = Verb(
    "media",
    gettext_lazy("Change the CD"),
    "disc",
    ANY,
    Action.MANAGE,
    gettext_lazy("Change the CD of %(name)s"),
    gettext_lazy("Changing the CD of %(name)s…"),
    gettext_lazy("The CD of %(name)s is changed"),
)
DELETE = Verb(
    "delete",
    gettext_lazy("Delete"),
    "trash",
    ANY,
    Action.MANAGE,
    gettext_lazy("Delete %(name)s"),
    gettext_lazy("Deleting %(name)s…"),
    gettext_lazy("%(name)s is deleted"),
    harsh=True,
)

POWER = {verb.name: verb for verb in (START, SHUTDOWN, REBOOT, SUSPEND, RESUME, RESET, DESTROY)}

# What the list offers for several guests at once, in the order of its bar.
BULK = (START, SHUTDOWN, REBOOT, DESTROY)

titles({verb.kind: verb.title for verb in (*POWER.values(), AUTOSTART, MEDIA, DELETE)})
titles({"instances.create": gettext_lazy("Create %(name)s")})


def possible(instance: Instance, right: Action | None) -> list[Verb]:
    """The power verbs that this guest's state and `right` (the most one may do to it) allow, in order."""
    if right is None or instance.stale_since is not None:
        return []
    return [verb for verb in POWER.values() if instance.state in verb.states and right >= verb.right]


def require_possible(verb: Verb, instance: Instance) -> None:
    """Raise Refused, in words, unless the guest's state allows it."""
    if instance.state in verb.states:
        return
    raise Refused(
        _("%(name)s is in the state “%(state)s”. This needs: %(states)s.")
        % {"name": instance.name, "state": instance.get_state_display(), "states": words_of(verb.states)},
        title=_("Not possible in this state"),
    )


def words_of(states: Iterable[Instance.State]) -> str:
    return ", ".join(str(state.label) for state in Instance.State if state in states)
