"""The rules of the house, held by reading the source: who imports whom, and what is never done."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]

# Whoever stands higher may import what stands lower; rooms on one step do not know each other.
STEPS = (
    ("accounts",),
    ("live",),
    ("tasks",),
    ("hosts",),
    ("storage", "networks"),
    ("instances",),
    ("console",),
    ("monitor", "api"),
)
ROOMS = {room: step for step, rooms in enumerate(STEPS) for room in rooms}
SOURCES = sorted(
    path
    for room in (*ROOMS, "virt", "webvirt", "bench", "tests")
    for path in (HOME / room).rglob("*.py")
    if "golden" not in path.parts
)
OURS = [path for path in SOURCES if path.relative_to(HOME).parts[0] not in ("bench", "tests")]
TEMPLATES = ("templates", "*/templates", "*/jinja2")
MOST_LINES = 400
# Pages of the project itself that lead into the rooms, or speak for the whole.
PROJECT = "webvirt"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@cache
def imports_of(path: Path) -> list[tuple[int, str]]:
    """The line and the full name of each module, or name of a module, that is imported."""
    return list(_imports_of(path))


def _imports_of(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(HOME).parts[0]


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(HOME)}:{line}"


def test_the_rooms_are_all_there() -> None:
    assert {path.name for path in HOME.iterdir() if (path / "apps.py").exists()} == set(ROOMS)


def test_only_virt_imports_libvirt() -> None:
    found = [place(path, line) for path in OURS for line, name in imports_of(path) if name.split(".")[0] == "libvirt"]
    assert [one for one in found if not one.startswith("virt/")] == []


def test_virt_knows_nothing_of_ours_and_nothing_of_django() -> None:
    strangers = {*ROOMS, PROJECT, "django", "celery", "channels", "rest_framework", "redis"}
    found = [
        f"{place(path, line)} {name}"
        for path in (HOME / "virt").rglob("*.py")
        for line, name in imports_of(path)
        if name.split(".")[0] in strangers
    ]
    assert found == []


def test_rooms_import_downwards_only() -> None:
    found = []
    for path in OURS:
        room = room_of(path)
        for line, name in imports_of(path) if room in ROOMS else ():
            other = name.split(".")[0]
            if other in ROOMS and other != room and ROOMS[other] >= ROOMS[room]:
                found.append(f"{place(path, line)} {name}")
    assert found == []


def modules_that_call_libvirt() -> set[str]:
    """The modules of virt that import libvirt, or such a module: to use one is to be able to reach a host."""
    uses = {
        "virt." + ".".join(path.relative_to(HOME / "virt").with_suffix("").parts): {
            name for _line, name in imports_of(path)
        }
        for path in (HOME / "virt").rglob("*.py")
    }
    calling = {module for module, names in uses.items() if any(name.split(".")[0] == "libvirt" for name in names)}
    while True:
        more = {
            module
            for module, names in uses.items()
            if module not in calling
            and any(name == one or name.startswith(f"{one}.") for name in names for one in calling)
        }
        if not more:
            return calling
        calling |= more


# What speaks with hosts: the jobs and questions of workers, the monitor, the console's door.
WORK = {"jobs.py", "connections.py", "doorbell.py"}
CONSTANTS = {"virt.states"}  # names of libvirt's numbers; it calls nothing


def reaches_hosts(path: Path) -> bool:
    return path.name in WORK or room_of(path) in ("monitor", "console", "virt")


def test_only_jobs_monitor_and_console_speak_with_hosts() -> None:
    calling = modules_that_call_libvirt() - CONSTANTS
    found = []
    for path in OURS:
        if reaches_hosts(path) or imported_by_work_alone(path):
            continue
        for line, name in imports_of(path):
            if any(name == module or name.startswith(f"{module}.") for module in calling):
                found.append(f"{place(path, line)} {name}")
    assert found == []


@cache
def imported_by_work_alone(path: Path) -> bool:
    """Whether a module is a part of its room's jobs: nobody but them, or such parts, imports it."""
    module = ".".join(path.relative_to(HOME).with_suffix("").parts)
    users = [
        other
        for other in OURS
        if other != path and any(name == module or name.startswith(f"{module}.") for _line, name in imports_of(other))
    ]
    return bool(users) and all(user.name in WORK or imported_by_work_alone(user) for user in users)


def test_the_web_process_imports_no_jobs() -> None:
    kinds = {"views.py", "urls.py", "services.py", "forms.py", "models.py", "apps.py", "asgi.py", "middleware.py"}
    found = [
        f"{place(path, line)} {name}"
        for path in OURS
        if path.name in kinds or room_of(path) == "api"
        for line, name in imports_of(path)
        if name.split(".")[0] in ROOMS
        if ".jobs" in name or name.endswith(".connections") or ".connections." in name
    ]
    assert found == []


def looks_like_xml(text: str) -> bool:
    return re.match(r"\s*<[a-z][\w-]*[\s>/]", text) is not None


def test_no_xml_is_built_from_strings() -> None:
    found = []
    for path in OURS:
        for node in ast.walk(tree_of(path)):
            glued = isinstance(node, ast.JoinedStr) or (
                isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add)
            )
            texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)] if glued else []
            if any(isinstance(text, str) and looks_like_xml(text) for text in texts):
                found.append(place(path, getattr(node, "lineno", 0)))
    assert found == []


def test_no_shell_and_no_evaluation() -> None:
    found = []
    for path in OURS:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            shell = any(
                keyword.arg == "shell"
                and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
                for keyword in node.keywords
            )
            if shell or name in ("os.system", "os.popen", "eval", "exec", "pickle.loads", "mark_safe"):
                found.append(f"{place(path, node.lineno)} {name}")
    assert found == []


def test_no_error_is_swallowed() -> None:
    """An `except` without a name, or that only passes on everything, hides what went wrong."""
    found = []
    for path in OURS:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
            empty = all(isinstance(line, ast.Pass) for line in node.body)
            if node.type is None or (broad and empty):
                found.append(place(path, node.lineno))
    assert found == []


def test_what_a_job_says_is_in_the_language_of_who_asked() -> None:
    """A sentence in a task's log or progress that passes no gettext is English for every reader."""
    found = []
    for path in OURS:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("say", "progress"):
                told = [ast.unparse(given) for given in node.args]
                if any(re.match(r"""gettext_noop|f?["'].*[a-z]{3} [a-z]{2}""", words) for words in told):
                    found.append(place(path, node.lineno))
    assert found == []


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "common.py", "misc.py"])
def test_no_file_is_a_drawer_for_everything(name: str) -> None:
    assert [path for path in SOURCES if path.name == name] == []


def test_no_file_is_too_long_to_read() -> None:
    endings = ("*.py", "*.js", "*.css", "*.html")
    files = [path for path in OURS if "migrations" not in path.parts]
    files += [
        path
        for room in (*ROOMS, "static", "templates", "tests")
        for end in endings
        for path in (HOME / room).rglob(end)
    ]
    long = {str(path.relative_to(HOME)) for path in files if len(path.read_text().splitlines()) > MOST_LINES}
    assert long == set()


def test_nothing_is_left_to_do() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" + "XX")
    found = [str(path.relative_to(HOME)) for path in SOURCES if any(mark in path.read_text() for mark in marks)]
    assert found == []


def test_templates_hold_no_inline_script_style_or_handler() -> None:
    found = []
    for path in (path for folder in TEMPLATES for path in HOME.glob(f"{folder}/**/*.html")):
        text = path.read_text()
        for bad in (
            "<style",
            " style=",
            " onclick=",
            " onsubmit=",
            " onchange=",
            "hx-on",
            "javascript:",
            "|safe",
            "autoescape off",
            "autoescape false",
        ):
            if bad in text:
                found.append(f"{path.relative_to(HOME)}: {bad}")
        if "<script>" in text:
            found.append(f"{path.relative_to(HOME)}: inline script")
    assert found == []
