"""What must be there before the programs start: tables, words, static files, the first account; and the first host."""

import hashlib
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.utils.translation import gettext as _

from accounts.models import User
from hosts.models import Host
from hosts.services import add_host
from networks.services import ensure_default_network
from storage.services import ensure_default_pool

ADMIN = "admin"
LOCAL_URI = "qemu:///system"


def prepare() -> str:
    """Bring DATA to what this version needs. Returns the admin's password where it may be shown, else ""."""
    call_command("migrate", interactive=False, verbosity=0)
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        keep_private(Path(settings.DATABASES["default"]["NAME"]))
    compile_messages()
    collect_statics()
    return make_admin()


def keep_private(database: Path) -> None:
    """Let our own user alone read the database's files, also in a DATA that others may enter: they hold sessions."""
    for path in database.parent.glob(f"{database.name}*"):
        path.chmod(0o600)


def compile_messages() -> None:
    """Compile the translations that changed."""
    for words in (settings.BASE_DIR / "locale").glob("*/LC_MESSAGES/*.po"):
        compiled = words.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < words.stat().st_mtime:
            call_command("compilemessages", locale=[words.parent.parent.name], verbosity=0)


def _static_sources() -> Iterator[Path]:
    yield settings.BASE_DIR / "package-lock.json"
    yield settings.BASE_DIR / "requirements.txt"
    yield from (settings.BASE_DIR / "webvirt").glob("*.py")
    for folder in [settings.BASE_DIR, *(Path(app.path) for app in apps.get_app_configs())]:
        if folder.is_relative_to(settings.BASE_DIR) and ".venv" not in folder.parts:
            yield from (folder / "static").rglob("*")
            yield from (folder / "templates").rglob("*")


def collect_statics() -> None:
    """Build the icons and collect the static files into DATA, unless nothing they are made of changed."""
    digest = hashlib.sha256()
    for path in sorted(set(_static_sources())):
        if path.is_file():
            digest.update(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}\n".encode())
    stamp = settings.DATA / "static.sha256"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("icons", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest.hexdigest())


def make_admin() -> str:
    """Make the account `admin` once. Returns its password when it was made now, or was given and is the right one."""
    given = os.environ.get("WEBVIRT_ADMIN_PASSWORD", "")
    admin = User.objects.filter(username=ADMIN).first()
    if admin is None:
        password = given or secrets.token_urlsafe(12)
        User.objects.create_superuser(ADMIN, password=password)
        return password
    if given and not admin.check_password(given):
        words = _("The account %(name)s has another password than WEBVIRT_ADMIN_PASSWORD. To change it: %(how)s")
        sys.stderr.write(words % {"name": ADMIN, "how": f"python manage.py changepassword {ADMIN}"} + "\n")
        return ""
    return given


def add_local_host() -> None:
    """Add this machine as the first host, with its default pool and network, unless WEBVIRT_LOCAL_HOST forbids it.

    Once, and only where no host was ever added: who removes it keeps it removed.
    """
    stamp = settings.DATA / "local_host.added"
    if not settings.LOCAL_HOST or stamp.exists() or Host.objects.exists():
        return
    admin = User.objects.get(username=ADMIN)
    host = add_host(name=socket.gethostname(), uri=LOCAL_URI, actor=admin)
    stamp.touch()
    ensure_default_pool(host=host, actor=admin)
    ensure_default_network(host=host, actor=admin)
