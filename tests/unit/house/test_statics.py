"""Static files as browsers get them: every name with a hash, in the imports of modules too."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from pytest_django import Settings

HASHED = re.compile(r"\.[0-9a-f]{12}\.")


@pytest.fixture
def collected(settings: Settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "webvirt.statics.HashedStorage"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_a_module_imports_hashed_names_so_that_an_upgrade_never_mixes_versions(collected: Path) -> None:
    module = collected / staticfiles_storage.stored_name("vendor/novnc/core/rfb.js")  # type: ignore[attr-defined]
    imported = re.findall(r"from \"(\./[^\"]+)\"", module.read_text())
    assert imported
    assert all(HASHED.search(name) and (module.parent / name).exists() for name in imported)


def test_what_pages_do_not_use_is_not_served(collected: Path) -> None:
    assert not list(collected.rglob("*.map"))
