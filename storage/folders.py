"""What a pool may be called, and on which folder of its host it may lie."""

import posixpath

from django.utils.translation import gettext as _

from storage.filenames import fault_of, writable

LONGEST_NAME = 200
LONGEST_PATH = 4000
# What lies here are no files: the kernel's own, and devices.
NO_FOLDERS = ("/proc", "/sys", "/dev")
# What the host itself lives of: a pool there would let people fetch its secrets, and delete it file by file.
SYSTEM = ("/etc", "/usr", "/boot", "/run", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/root/.ssh")
# What holds the folders of others. A folder within may be a pool.
ROOTS = ("/", "/home", "/opt", "/root", "/var", "/var/lib", "/var/log", "/var/spool")


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
    if is_in(path, NO_FOLDERS):
        return _("No pool can lie there.")
    if path in ROOTS or is_in(path, SYSTEM):
        return _("The host's own files lie there. Choose a folder that holds nothing else, as /srv/images.")
    return ""


def is_in(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
