"""What a guest may be called, and what its volumes are called after it."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST_CHARACTERS = 200
MOST_BYTES = 230  # its files are called after it, and a file's name has 255 at most
# The agent's socket lies in /var/lib/libvirt/qemu/channel/target/domain-NUMBER-BEGINNING/org.qemu.guest_agent.0, which
# the kernel takes up to 107 bytes; libvirt cuts the beginning by characters, whatever bytes they have.
BEGINNING_CHARACTERS = 20
BEGINNING_BYTES = 34  # with a NUMBER of five digits: the host's 99,999th start


def validate_name(name: str) -> None:
    """Raise ValidationError, in words, for a name that libvirt or a host's file system would not take."""
    if not name.strip():
        raise ValidationError(_("Give it a name."), code="required")
    if len(name) > MOST_CHARACTERS or len(name.encode(errors="replace")) > MOST_BYTES:
        raise ValidationError(
            _("This name is too long: at most %(characters)d characters, and %(bytes)d bytes.")
            % {"characters": MOST_CHARACTERS, "bytes": MOST_BYTES},
            code="too_long",
        )
    beginning = len(name[:BEGINNING_CHARACTERS].encode(errors="replace"))
    if beginning > BEGINNING_BYTES:
        raise ValidationError(
            _(
                "The first %(characters)d characters of a name may have %(most)d bytes, and these have %(bytes)d: a "
                "Chinese character has three. Say the rest in the title."
            )
            % {"characters": BEGINNING_CHARACTERS, "most": BEGINNING_BYTES, "bytes": beginning},
            code="too_long",
        )
    if name != name.strip():
        raise ValidationError(_("A name cannot begin or end with a space."), code="space")
    if "/" in name:
        raise ValidationError(_("A name cannot contain “/”."), code="slash")
    if name.startswith("."):
        raise ValidationError(_("A name cannot begin with a dot."), code="dot")
    if any(invisible(character) for character in name):
        raise ValidationError(_("A name cannot contain control or invisible characters."), code="invisible")


def invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")


def volume_name(guest: str, number: int, format: str) -> str:
    """`web-3.qcow2`, then `web-3-2.qcow2`; `number` counts from 1."""
    stem = guest if number == 1 else f"{guest}-{number}"
    return f"{stem}.{format}"


def made_for(guest: str, volume: str) -> bool:
    """Whether a volume of this name was made for that guest: `web-3.qcow2`, `web-3-2.qcow2`, and so on."""
    stem, _dot, ending = volume.rpartition(".")
    return bool(ending) and re.fullmatch(re.escape(guest) + r"(-[0-9]+)?", stem) is not None
