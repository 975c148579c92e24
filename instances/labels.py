"""What people may say about a guest: its title, its notes and its tags."""

import unicodedata
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST_TITLE = 200
MOST_NOTES = 10_000
MOST_TAGS = 20
MOST_TAG = 40
NOT_IN_TAGS = '",\\<>'  # the comma parts them; the rest would only be in the way


def clean_title(title: str) -> str:
    """One line. Raises ValidationError."""
    if len(title) > MOST_TITLE:
        raise ValidationError(_("At most %(most)d characters.") % {"most": MOST_TITLE})
    if any(unprintable(character) for character in title):
        raise ValidationError(_("A title is one line, without control characters."))
    return title.strip()


def clean_notes(notes: str) -> str:
    """Any lines. Raises ValidationError."""
    if len(notes) > MOST_NOTES:
        raise ValidationError(_("At most %(most)d characters.") % {"most": MOST_NOTES})
    lines = notes.replace("\r\n", "\n").replace("\r", "\n").strip()
    if any(unprintable(character) for character in lines.replace("\n", "").replace("\t", "")):
        raise ValidationError(_("Notes cannot contain control characters."))
    return lines


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Each once, in their order. Raises ValidationError."""
    found: dict[str, str] = {}
    for tag in (" ".join(tag.split()) for tag in tags):
        if len(tag) > MOST_TAG:
            raise ValidationError(_("A tag has at most %(most)d characters.") % {"most": MOST_TAG})
        if any(character in NOT_IN_TAGS or unprintable(character) for character in tag):
            raise ValidationError(_("A tag cannot contain any of: %(characters)s") % {"characters": '" , \\ < >'})
        if tag:
            found.setdefault(tag.casefold(), tag)
    if len(found) > MOST_TAGS:
        raise ValidationError(_("At most %(most)d tags.") % {"most": MOST_TAGS})
    return list(found.values())


def unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Cn", "Zl", "Zp") or ord(character) in (0xFFFE, 0xFFFF)
