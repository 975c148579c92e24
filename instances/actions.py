"""What can be done with a guest, in which state, and by whom: the one table for pages, API and services."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.rights import Action
from instances.drivers import offers
from instances.models import Instance
from tasks.errors import Refused
from tasks.registry import LONG, QUICK, QUICK_LIMIT, titles
from webvirt.sentences import listed

State = Instance.State

OFF = frozenset({State.SHUTOFF, State.CRASHED})
ALIVE = frozenset(State) - {State.SHUTOFF}
ANY = frozenset(State)

SECONDS_TO_BEGIN = 120
# The pace of a slow disk, at which a guest's memory is written and read; the hard time limit is by it.
SLOWEST_BYTES_PER_SECOND = 16 * 1024**2


def nothing(_instance: Instance) -> str:
    return ""


def transient(instance: Instance) -> str:
    if instance.persistent:
        return ""
    return _("%(name)s is transient: its host forgets it when it ends.") % {"name": instance.name}


def no_saved_memory(instance: Instance) -> str:
    return "" if instance.has_managed_save else _("%(name)s has no saved memory.") % {"name": instance.name}


def no_start_from_cd(instance: Instance) -> str:
    if instance.has_managed_save:
        return _("The memory of %(name)s is saved, and its next start goes on from there.") % {"name": instance.name}
    if not any(disk["device"] == "cdrom" and disk["path"] for disk in instance.disks):
        return _("No CD drive of %(name)s holds an image.") % {"name": instance.name}
    return transient(instance)


def saved_with_its_cd(instance: Instance) -> str:
    if not instance.has_managed_save:
        return ""
    return _("The memory of %(name)s is saved, and goes on with the CD that it had. Start it, or discard that.") % {
        "name": instance.name
    }


@dataclass(frozen=True)
class Verb:
    """One thing that can be done.

    `name` is the word in URLs and in the API, `states` those in which it can be asked for, `title` the
    task's (with %(name)s), `doing` and `done` what a toast says. `waits` is whether it takes its turn
    behind other changes of the guest; `harsh` whether the guest may lose data by it; `queue` is long where
    the worker waits for the guest, since a click must not wait behind guests that do not listen; `obstacle` says
    in words what else is in the way, "" for nothing.
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
    obstacle: Callable[[Instance], str] = nothing

    @property
    def kind(self) -> str:
        return f"instances.{self.name}"

    @property
    def words(self) -> "Words":
        """Its label and what its toasts say, in the reader's language; a list has hundreds of them."""
        language = get_language()
        if (self.name, language) not in _words:
            _words[self.name, language] = Words(str(self.label), str(self.doing), str(self.done))
        return _words[self.name, language]

    def fits(self, instance: Instance) -> bool:
        return instance.state in self.states and offers(instance, self.name) and not self.obstacle(instance)


@dataclass(frozen=True)
class Words:
    """A verb's words in one language; `doing` and `done` with %(name)s."""

    label: str
    doing: str
    done: str


_words: dict[tuple[str, str | None], Words] = {}


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
START_FROM_CD = Verb(
    "start_from_cd",
    gettext_lazy("Start from CD"),
    "disc",
    frozenset({State.SHUTOFF}),
    Action.OPERATE,
    gettext_lazy("Start %(name)s from its CD"),
    gettext_lazy("Starting %(name)s from its CD…"),
    gettext_lazy("%(name)s is running"),
    obstacle=no_start_from_cd,
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
SAVE = Verb(
    "save",
    gettext_lazy("Save"),
    "archive",
    frozenset({State.RUNNING, State.PAUSED}),
    Action.OPERATE,
    gettext_lazy("Save %(name)s"),
    gettext_lazy("Saving %(name)s…"),
    gettext_lazy("%(name)s is saved and off"),
    queue=LONG,
    obstacle=transient,
)
DISCARD = Verb(
    "discard",
    gettext_lazy("Discard saved memory"),
    "trash",
    frozenset({State.SHUTOFF}),
    Action.OPERATE,
    gettext_lazy("Discard the saved memory of %(name)s"),
    gettext_lazy("Discarding the saved memory of %(name)s…"),
    gettext_lazy("The saved memory of %(name)s is gone"),
    harsh=True,
    obstacle=no_saved_memory,
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
EDIT = Verb(
    "edit",
    gettext_lazy("Edit"),
    "edit",
    ANY,
    Action.MANAGE,
    gettext_lazy("Change what is said about %(name)s"),
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
    obstacle=saved_with_its_cd,
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

POWER = {
    verb.name: verb
    for verb in (START, START_FROM_CD, SHUTDOWN, REBOOT, SUSPEND, RESUME, SAVE, RESET, DESTROY)
}  # fmt: skip

# What the list offers for several guests at once, in the order of its bar.
BULK = (START, SHUTDOWN, REBOOT, SAVE, DESTROY)

titles({verb.kind: verb.title for verb in (*POWER.values(), DISCARD, AUTOSTART, EDIT, MEDIA, DELETE)})
titles({"instances.create": gettext_lazy("Create %(name)s")})


def possible(instance: Instance, right: Action | None) -> list[Verb]:
    """The power verbs that this guest's state and `right` (the most one may do to it) allow, in order."""
    if right is None or instance.stale_since is not None:
        return []
    return [verb for verb in POWER.values() if right >= verb.right and verb.fits(instance)]


def require_possible(verb: Verb, instance: Instance) -> None:
    """Raise Refused, in words, unless the guest's state allows it."""
    if verb.fits(instance):
        return
    if instance.state in verb.states:
        raise Refused(verb.obstacle(instance))
    raise Refused(
        _("%(name)s is in the state “%(state)s”. This needs: %(states)s.")
        % {"name": instance.name, "state": instance.get_state_display(), "states": words_of(verb.states)},
        title=_("Not possible in this state"),
    )


def pace(verb: Verb, instance: Instance) -> tuple[str, int]:
    """The queue for it, and its hard time limit in seconds: writing and reading a guest's memory takes its time."""
    if verb is SAVE or (verb is START and instance.has_managed_save):
        return LONG, SECONDS_TO_BEGIN + instance.memory_bytes // SLOWEST_BYTES_PER_SECOND
    return verb.queue, QUICK_LIMIT


def words_of(states: Iterable[Instance.State]) -> str:
    return listed(state.label for state in Instance.State if state in states)
