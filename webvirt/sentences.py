"""What stands between words, as the reader's language has it: Chinese leaves no blank, and has commas of its own."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import pgettext


def blank() -> str:
    """What stands between two sentences."""
    return _between(pgettext("two sentences", "%s %s"))


def comma() -> str:
    """What stands between two parts of a sentence."""
    return _between(pgettext("two parts of a sentence", "%s, %s"))


def listed(words: Iterable[str | Promise]) -> str:
    """Words of one kind, one after another."""
    return _between(pgettext("two words of a list", "%s, %s")).join(map(str, words))


def _between(two: str) -> str:
    """A catalogue cannot say that something is nothing, so it has what stands around it too."""
    return two.split("%s")[1]
