"""Templates hold to the content security policy, and name only icons that there are."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from webvirt.icons import NAMES

FOLDERS = ("templates", "*/templates", "*/jinja2")
TEMPLATES = [path for folder in FOLDERS for path in settings.BASE_DIR.glob(f"{folder}/**/*.html")]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|js:", re.IGNORECASE)
ICON = re.compile(r"""(?:\{% icon |\bicon\()["']([\w-]+)["']""")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_a_template_holds_no_inline_script_style_or_handler(path: Path) -> None:
    assert not INLINE.findall(path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_a_template_names_icons_of_the_sprite(path: Path) -> None:
    assert set(ICON.findall(path.read_text())) <= NAMES
