"""Which names a file may have that becomes a volume."""

import unicodedata

from django.utils.translation import gettext as _

from tasks.errors import Words

LONGEST_BYTES = 255
# Control characters, halves of surrogate pairs, line and paragraph separators.
UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")
# They turn the order of what a person reads, so that a name looks like another one.
TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def fault_of(name: str) -> Words | None:
    """Why `name` cannot be a volume's name, in words; None when it can.

    A name is one step of a path, at most 255 bytes in UTF-8, in any script.
    """
    if not name.strip():
        return _("The file needs a name.")
    if any(not writable(character) for character in name):
        return _("The name holds characters that cannot be written.")
    if "/" in name or name.startswith(".") or ".." in name:
        return _("The name must not hold a slash or two dots in a row, nor begin with a dot.")
    if name != name.strip():
        return _("The name must not begin or end with a space.")
    if len(name.encode()) > LONGEST_BYTES:
        return _("The name is too long: at most %(most)d bytes, this one has %(has)d.") % {
            "most": LONGEST_BYTES,
            "has": len(name.encode()),
        }
    return None


def writable(character: str) -> bool:
    """Whether XML and a person's eye can hold it."""
    return (
        unicodedata.category(character) not in UNWRITABLE
        and unicodedata.bidirectional(character) not in TURNING
        and ord(character) & 0xFFFE != 0xFFFE
    )
