"""What the search field can be told to do with a guest: "start web-3"."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.rights import Action
from instances.actions import DELETE, POWER, Verb, possible
from instances.drivers import has_console, offers
from instances.models import Instance

FEWEST_LETTERS = 2  # of a command's word


@dataclass(frozen=True)
class Command:
    """One thing to do: `title` with %(name)s, `view` its address; `verb` where it is posted, else it is a page.

    `states` are those in which it is worth asking whether a guest can do it.
    """

    name: str
    label: Promise
    icon: str
    title: Promise
    view: str
    states: frozenset[Instance.State]
    right: Action
    verb: Verb | None = None

    def rest(self, text: str) -> str | None:
        """What follows this command's word in `text`: the start of a guest's name. None: it is no such command."""
        rests = [rest_after(text, word) for word in (str(self.label), self.name)]
        return next((rest for rest in rests if rest is not None), None)

    def fits(self, guest: Instance, right: Action) -> bool:
        if self.verb is not None:
            return self.verb in possible(guest, right)
        if guest.stale_since is not None or right < self.right:
            return False
        return has_console(guest) if self is CONSOLE else offers(guest, self.name)


def rest_after(text: str, word: str) -> str | None:
    """What follows `word` in `text`, whose first letters will do; "" while it is being typed. None: another word."""
    text, word = text.casefold(), word.casefold()
    if text.startswith(word):
        rest = text[len(word) :]
        # Languages that do not part words with spaces need none here.
        return rest.strip() if not rest or rest[0] == " " or not word.isascii() else None
    first, _space, rest = text.partition(" ")
    if len(first) < FEWEST_LETTERS and first.isascii():
        return None
    return "" if word.startswith(text) else rest.strip() if word.startswith(first) else None


CONSOLE = Command(
    "console",
    gettext_lazy("Console"),
    "terminal-2",
    gettext_lazy("Console of %(name)s"),
    "console:console",
    frozenset({Instance.State.RUNNING, Instance.State.PAUSED}),
    Action.OPERATE,
)
COMMANDS = (
    CONSOLE,
    *(
        Command(verb.name, verb.label, verb.icon, verb.title, f"instances:{verb.name}", verb.states, verb.right, verb)
        for verb in POWER.values()
    ),
    Command(DELETE.name, DELETE.label, DELETE.icon, DELETE.title, "instances:delete", DELETE.states, DELETE.right),
)
