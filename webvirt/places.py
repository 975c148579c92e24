"""Where Webvirt keeps its files: everything it makes lies under DATA."""

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

# sun_path holds 108 bytes; the programs add names of their own to the folder.
LONGEST_SOCKET_FOLDER = 80


def private_folder(path: Path) -> Path:
    """Make `path` (mode 0700) where it is missing, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def socket_folder(data: Path) -> Path:
    """The folder of the unix sockets: DATA/run, or a short private one when that path is too long for a socket.

    Raises PermissionError when the short folder exists and belongs to somebody else.
    """
    folder = data / "run"
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER:
        return private_folder(folder)
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    short = private_folder(Path("/tmp") / f"webvirt-{os.getuid()}-{name}")  # noqa: S108 - owner checked below
    found = short.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        raise PermissionError(f"{short} is not a private folder of this user")
    return short


def kept_secret(path: Path) -> str:
    """The secret in `path`, made once and readable by its own user alone."""
    return kept_file(path, lambda: secrets.token_urlsafe(50)).read_text().strip()


def kept_file(path: Path, make: Callable[[], str]) -> Path:
    """The file `path`, written once with what `make` returns and readable by its own user alone."""
    if path.exists():
        return path
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(make())
    try:
        os.link(draft, path)  # the first of several processes wins, the others read what it wrote
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path
