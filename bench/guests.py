"""A guest that is created and started, and changes by somebody else that show on the screen."""

import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree
from playwright.sync_api import Page, sync_playwright

from bench.figures import Figure, in_turns, median, p95
from tests.browser.conftest import ARGUMENTS
from tests.guests import URI
from tests.program import Program
from tests.seen import seen_at, watch
from tests.stack import Stack
from tests.virsh import virsh
from virt.access import Access
from virt.connection import open_connection
from virt.events import Event, subscribe

GIB = 1024**3
MOST_SEEN_MS = 500.0
LIFE = (("start", "Running"), ("suspend", "Paused"), ("resume", "Running"), ("destroy", "Shut off"))


class Maker:
    """Makes and starts guests of one kind, by the API and by virsh; 64 MiB of memory and a disk of 1 GiB."""

    def __init__(self, program: Program, pool: dict[str, Any], folder: Path) -> None:
        self.program, self.pool, self.folder = program, pool, folder
        self.name = f"t-bench-api-{secrets.token_hex(3)}"
        # Of its own: the name of a volume that virsh has deleted is free here only once its pool is read again.
        self.other = self.name.replace("api", "virsh")
        self.definition = ""

    def by_api(self) -> float:
        """Seconds from the request until its task has succeeded: then the guest runs, and the list says so."""
        wish = {
            "name": self.name,
            "host": self.pool["host"],
            "vcpus": 1,
            "memory_bytes": 64 << 20,
            "disks": [{"pool": self.pool["id"], "size_bytes": GIB}],
            "networks": [],
            "start": True,
        }
        began = time.perf_counter()
        task = self.program.change("POST", "instances/", wish)
        took = time.perf_counter() - began
        assert task["state"] == "succeeded", task
        self.definition = virsh("dumpxml", "--inactive", self.name).replace(self.name, self.other)
        self.program.change("POST", f"instances/{task['object']['id']}/destroy")
        self.program.change("DELETE", f"instances/{task['object']['id']}/?volumes=delete")
        return took

    def by_virsh(self) -> float:
        """Seconds that one virsh takes for the same disk, definition and start."""
        file = self.folder / "definition.xml"
        file.write_text(self.definition)
        disk = f"{self.other}.qcow2"
        make = f"vol-create-as {self.pool['name']} {disk} 1GiB --format qcow2"
        began = time.perf_counter()
        said = virsh(f"{make}; define --validate {file}; start {self.other}")
        took = time.perf_counter() - began
        assert virsh("domstate", self.other) == "running", said
        self.clean(self.other)
        return took

    def clean(self, name: str) -> None:
        virsh("destroy", name)
        virsh("undefine", name)
        virsh("vol-delete", f"{name}.qcow2", "--pool", self.pool["name"])


def create(stack: Stack, pool: dict[str, Any], *, times: int) -> Iterator[Figure]:
    """Yield how long it takes to create and start a guest by the API."""
    maker = Maker(Program.of(stack, "bench"), pool, stack.data)
    try:
        maker.by_api()
        ours, theirs = in_turns(maker.by_api, maker.by_virsh, times=times)
    finally:
        for name in (maker.name, maker.other):
            maker.clean(name)
    yield Figure(
        "create and start by the API",
        "s",
        median(ours),
        "virsh vol-create-as, define, start",
        median(theirs),
        more={"samples": times, "p95": round(p95(ours), 3), "all": [round(one, 3) for one in ours]},
    )


def outside(stack: Stack, *, rounds: int, while_: str = "") -> Iterator[Figure]:
    """Yield how long after libvirt tells of a change by virsh it is on the screen of an open list."""
    name = f"t-bench-{secrets.token_hex(3)}"
    file = stack.data / "outside.xml"
    file.write_text(minimal(name))
    heard: list[float] = []

    def note(event: Event) -> None:
        if event.name == name and event.kind == "lifecycle":
            heard.append(time.time() * 1000)

    seen: list[float] = []
    told: list[float] = []
    with sync_playwright() as playwright, open_connection(Access(URI)) as connection:
        subscription = subscribe(connection, note)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        try:
            page = browser.new_page(base_url=stack.url, locale="en-GB")
            sign_in(page, stack)
            page.goto(f"/instances/?q={name}")
            virsh("define", str(file))
            watch(page, name)
            seen_at(page, "Shut off")
            for verb, words in LIFE * rounds:
                heard.clear()
                asked = time.time() * 1000
                subprocess.run(["virsh", "-q", verb, name], check=True, capture_output=True)
                shown = seen_at(page, words)
                seen.append(shown - heard[-1])
                told.append(heard[-1] - asked)
        finally:
            subscription.close()
            browser.close()
            virsh("destroy", name)
            virsh("undefine", name)
    for what, measure, goal in (("median", median, None), ("p95", p95, MOST_SEEN_MS)):
        yield Figure(
            f"from libvirt's event to the screen{while_}, {what}",
            "ms",
            measure(seen),
            "from virsh's call to the event",
            measure(told),
            at_most=goal,
            more={"samples": len(seen), **of_each(seen)},
        )


def of_each(seen: list[float]) -> dict[str, float]:
    """The median of each kind of change, in ms."""
    return {verb: round(median(seen[at :: len(LIFE)])) for at, (verb, _) in enumerate(LIFE)}


def minimal(name: str) -> str:
    domain = etree.Element("domain", type="qemu")
    etree.SubElement(domain, "name").text = name
    etree.SubElement(domain, "memory", unit="MiB").text = "32"
    etree.SubElement(etree.SubElement(domain, "os"), "type", arch="x86_64", machine="q35").text = "hvm"
    return etree.tostring(domain, encoding="unicode")


def sign_in(page: Page, stack: Stack) -> None:
    page.goto("/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(stack.url)
