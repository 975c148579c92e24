"""The whole interface speaks Chinese: every string has its words, and they hold what the string holds."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

HOME = Path(__file__).resolve().parents[2]
WORDS = "locale/zh_Hans/LC_MESSAGES/django.po"
NOT_OURS = shutil.ignore_patterns(".*", "node_modules", "var", "tests", "bench", "*.pyc", "*.mo")


def run(*command: str, cwd: Path = HOME) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source whose words were brought up to it by `script/words`, which tells what lacks."""
    copy = tmp_path_factory.mktemp("source") / "webvirt"
    shutil.copytree(HOME, copy, ignore=NOT_OURS)
    (copy / ".venv").symlink_to(HOME / ".venv")
    (copy / "told").write_text(run("script/words", cwd=copy))
    return copy


def test_every_string_has_its_words(source: Path) -> None:
    told = (source / "told").read_text()
    assert [line for line in told.splitlines() if line.startswith("msgid")] == []


def test_no_words_are_left_over(source: Path) -> None:
    """Otherwise a string that was changed would seem to be translated still."""
    there = set(run("msgattrib", "--no-wrap", "--no-location", WORDS).splitlines())
    needed = set(run("msgattrib", "--no-wrap", "--no-location", str(source / WORDS)).splitlines())
    assert {line for line in there - needed if line.startswith("msgid")} == set()


def test_words_hold_what_their_string_holds() -> None:
    run("msgfmt", "--check-format", "--output-file=/dev/null", WORDS)
    for entry in run("msgattrib", "--no-wrap", WORDS).split("\n\n")[1:]:
        lines = entry.splitlines()
        asked = next(line for line in lines if line.startswith("msgid "))
        told = next(line for line in lines if line.startswith("msgstr"))
        for mark in ("{n}", "{name}", "{size}", "{time}", "{host}", "{pool}", "{count}", "{total}", "{done}", "<b>"):
            assert asked.count(mark) == told.count(mark), entry


def test_every_language_has_its_words() -> None:
    others = {code for code, _name in settings.LANGUAGES} - {"en"}
    assert others == {"zh-hans"}
