"""Which function does which kind of task: jobs.py modules declare themselves here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise

if TYPE_CHECKING:
    from tasks.context import Context

QUICK = "quick"
LONG = "long"
QUICK_LIMIT = 120  # seconds

JobFunction = Callable[["Context"], Any]
Question = Callable[[int, dict[str, Any]], Any]


@dataclass(frozen=True)
class Job:
    """`run` does the work and returns the task's result; `undo` removes what `task.made` names."""

    kind: str
    run: JobFunction
    queue: str
    undo: JobFunction | None = None


JOBS: dict[str, Job] = {}
QUESTIONS: dict[str, Question] = {}
TITLES: dict[str, Promise] = {}
RESULTS: dict[str, Callable[[Any], Any]] = {}


def job(kind: str, *, queue: str = QUICK, undo: JobFunction | None = None) -> Callable[[JobFunction], JobFunction]:
    """Declare the function that does tasks of `kind`. `undo` may run twice, and on another machine."""

    def declare(function: JobFunction) -> JobFunction:
        JOBS[kind] = Job(kind, function, queue, undo)
        return function

    return declare


def question(name: str) -> Callable[[Question], Question]:
    """Declare the function that answers `ask(host_id, name, arguments)`, on the queue `quick`.

    It returns what JSON can hold; bytes go as base64 text.
    """

    def declare(function: Question) -> Question:
        QUESTIONS[name] = function
        return function

    return declare


def titles(words: dict[str, Promise]) -> None:
    """What a person reads for each kind, with %(name)s for the object: 'Start %(name)s'."""
    TITLES.update(words)


def results(words: dict[str, Callable[[Any], Any]]) -> None:
    """How the kept results of those kinds that hold words are told in the reader's language."""
    RESULTS.update(words)
