"""Run the benches on a Webvirt of their own and write down what they say."""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import console, dark, fleet, guests, pages, starting, upload
from bench.figures import Figure, table, written
from tests.program import Program
from tests.stack import HOME, Stack
from tests.virsh import virsh
from tests.waiting import wait_for

MIB = 1024**2
PARTS = ("pages", "dark", "create", "outside", "console", "console-ssh", "upload", "memory", "fleet")
POOL = f"t-bench-{os.getpid()}"


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description="How fast it is, each figure beside a reference.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="few samples and a small upload: for a first look")
    parser.add_argument("--size", type=int, metavar="MIB", help="of the upload (2048; with --quick 256)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures (var/bench/TIME.json)")
    found = parser.parse_args()
    for part in found.parts:
        if part not in PARTS:
            parser.error(f"{part} is none of {', '.join(PARTS)}")
    found.parts = found.parts or PARTS
    found.size = (found.size or (256 if found.quick else 2048)) * MIB
    return found


@contextmanager
def pool_of(stack: Stack) -> Iterator[dict[str, Any]]:
    """A pool of the bench's own, as the API tells it."""
    folder = stack.data / "pool"
    folder.mkdir()
    virsh("pool-create-as", POOL, "dir", "--target", str(folder))
    program = Program.of(stack, "bench")
    try:
        yield wait_for(lambda: program.get(f"pools/?search={POOL}")["results"], 30)[0]
    finally:
        virsh("pool-destroy", POOL)


def run(stack: Stack, options: argparse.Namespace) -> Iterator[Figure]:
    quick = options.quick
    with pool_of(stack) as pool:
        parts: dict[str, Callable[[], Iterator[Figure]]] = {
            "pages": lambda: pages.measure(stack, times=20 if quick else 200, seconds=3 if quick else 20),
            "dark": lambda: dark.measure(stack, rounds=3 if quick else 6, times=10 if quick else 40),
            "create": lambda: guests.create(stack, pool, times=3 if quick else 15),
            "outside": lambda: guests.outside(stack, rounds=2 if quick else 25),
            "console": lambda: console.measure(stack, seconds=2 if quick else 10, times=2 if quick else 5),
            "console-ssh": lambda: console.by_ssh(stack, seconds=2 if quick else 10, times=2 if quick else 5),
            "upload": lambda: upload.measure(stack, pool, size=options.size, times=3 if quick else 5),
            "memory": lambda: starting.memory(stack),
            "fleet": lambda: fleet.measure(stack, hosts=10 if quick else 100, guests=100, seconds=20 if quick else 130),
        }
        for name in options.parts:
            yield from parts[name]()


def main() -> int:
    options = asked()
    began = datetime.now(UTC)
    # A short name, since sockets are below it.
    data = Path(tempfile.mkdtemp(prefix="wv-bench-"))
    data.chmod(0o755)
    stack = Stack(data)
    figures: list[Figure] = []

    def keep(figure: Figure) -> None:
        figures.append(figure)
        print(f"{figure.name}: {figure.value:.4g} {figure.unit}", file=sys.stderr)

    try:
        keep(starting.start(stack, times=1 if options.quick else 5))
        for figure in run(stack, options):
            keep(figure)
    finally:
        stack.stop()
        shutil.rmtree(data)
    about = {
        "at": began.isoformat(timespec="seconds"),
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=HOME, text=True).strip(),
        "quick": options.quick,
        "seconds": round((datetime.now(UTC) - began).total_seconds()),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()},
    }
    file = options.json or HOME / "var" / "bench" / f"{began:%Y-%m-%d-%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(written(figures, about))
    print(table(figures))
    print(f"\nWritten to {file}")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
