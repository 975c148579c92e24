"""What a pool may be called, and on which folder of its host it may lie."""

import posixpath

from django.utils.translation import gettext as _

from storage.filenames import fault_of, writable

LONGEST_NAME = 200
LONGEST_PATH = 4000
# What lies here are no files: the kernel's own, and devices.
NO_FOLDERS = ("/proc", "/sys", "/dev")


def fault_of_pool(name: str) -> str:
    """Why a pool cannot be called so, in words; "" when it can."""
    if len(name) > LONGEST_NAME:
        return _("The name is too long.")
    return str(fault_of(name) or "")


def fault_of_folder(path: str) -> str:
    """Why a pool cannot lie there, in words; "" when it can. The path is the host's own, and is only told to it."""
    if not path.startswith("/") or path.startswith("//"):
        return _("Give the whole path on the host, from its root on: /srv/images")
    if any(not writable(character) for character in path) or len(path.encode()) > LONGEST_PATH:
        return _("This path holds characters that cannot be written, or is too long.")
    if posixpath.normpath(path) != path:
        return _("Write the path without dots, and without a slash at its end: %(path)s") % {
            "path": posixpath.normpath(path)
        }
    if path == "/" or any(path == one or path.startswith(f"{one}/") for one in NO_FOLDERS):
        return _("No pool can lie there.")
    return ""
