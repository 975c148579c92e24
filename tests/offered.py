"""Everything that the pages of a host offer, done one after another as a person would press it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.test import Client
from django.urls import Resolver404, resolve, reverse
from django.utils.module_loading import autodiscover_modules

from hosts.models import Host
from instances.models import Instance
from networks.models import Network
from storage.models import Pool, Volume
from tasks import runner
from tasks.models import Task

FORM = re.compile(r'<form\b[^>]*?\bmethod="post"[^>]*>.*?</form>', re.S)
PRESSED = re.compile(r'\b(?:formaction|action)="(/[^"?#]*)"')
DIALOG = re.compile(r'<a\b[^>]*?\bhref="(/[^"#]*)"')
# What is about Webvirt's own rows alone, or only leads to a page.
NOT_THE_HOSTS = (
    "accounts:", "hosts:", "tasks:", "console.views.task", "console:token", "api:", "search", "overview",
    "instances:list", "instances:detail", "instances:bulk", "storage:list", "storage:detail", "storage:upload",
    "networks:list", "networks:detail",
)  # fmt: skip
# Last, since nothing is left after it.
ENDS = ("storage:volume-delete", "instances:delete", "networks:remove", "storage:pool-remove")
START = "instances:start"
GIB = 1024**3


class Walk:
    """An administrator's walk over one host; `sync` makes its rows true.

    `done` are the tasks of what was pressed, by the names of their addresses, `seen` the names of all that was offered.
    """

    def __init__(self, host: Host, client: Client, sync: Callable[[], None]) -> None:
        self.host, self.client, self.sync = host, client, sync
        self.done: dict[str, Task] = {}
        self.seen: set[str] = set()
        autodiscover_modules("jobs")

    def pages(self) -> Iterator[str]:
        """Every page that shows something of the host."""
        yield from (
            f"{reverse(name)}?host={self.host.pk}" for name in ("instances:list", "storage:list", "networks:list")
        )
        yield reverse("hosts:detail", args=[self.host.pk])
        for guest in Instance.objects.filter(host=self.host):
            yield reverse("instances:detail", args=[guest.pk])
            yield f"{reverse('instances:detail', args=[guest.pk])}?edit=about"
            yield reverse("console:console", args=[guest.pk])
            yield f"{reverse('search')}?q={guest.name}"
        for pool in Pool.objects.filter(host=self.host):
            yield reverse("storage:detail", args=[pool.pk])
        for network in Network.objects.filter(host=self.host):
            yield reverse("networks:detail", args=[network.pk])

    def offered(self) -> dict[str, str]:
        """The address of everything that is offered now, by its name; of several of one name the last."""
        found: dict[str, str] = {}
        for page in self.pages():
            answer = self.client.get(page)
            assert answer.status_code == 200, (page, answer.status_code)
            text = answer.content.decode()
            places = [place for form in FORM.findall(text) for place in PRESSED.findall(form)] + DIALOG.findall(text)
            for place in places:
                name = name_of(place)
                self.seen.add(name)
                # A guest of no volume in particular can be made on another host.
                if name and not name.startswith(NOT_THE_HOSTS) and place != reverse("instances:create"):
                    found[name] = place
        return found

    def all(self) -> None:
        """Press everything that is offered, until nothing new is; each has to succeed on the host."""
        while offered := self.offered():
            new = sorted(offered.keys() - self.done.keys() - set(ENDS))
            ends = [name for name in ENDS if name in offered and name not in self.done]
            # What only a running guest offers may be left.
            again = [START] if START in offered else []
            if not (wanted := [*new, *again, *ends]):
                return
            self.press(wanted[0], offered[wanted[0]])

    def press(self, name: str, place: str) -> None:
        path = place.partition("?")[0]
        answer = self.client.post(path, self.fields(name, resolve(path).kwargs), headers={"X-Webvirt-Toast": "1"})
        if answer.status_code == 302:
            task = Task.objects.get(pk=resolve(answer["Location"]).kwargs["pk"])
        else:
            assert answer.status_code == 200, (name, answer.status_code, answer.content.decode())
            task = Task.objects.get(pk=answer.json()["task"]["id"])
        runner.run(task.pk)
        task.refresh_from_db()
        assert task.state == Task.State.SUCCEEDED, (name, task.error)
        self.done[name] = task
        self.sync()

    def fields(self, name: str, where: dict[str, Any]) -> dict[str, Any]:
        """What a person fills in; a name that stands nowhere here is pressed as it is."""
        pk = where.get("pk", 0)
        match name:
            case "instances:autostart" | "networks:autostart" | "storage:pool-autostart":
                return {"autostart": "on"}
            case "instances:delete":
                return {"confirm": Instance.objects.get(pk=pk).name}
            case "instances:edit":
                return {"title": "Walked over", "tags": "t-walk", "notes": "by a test"}
            case "networks:create":
                return {
                    "host": self.host.pk,
                    "name": "t-walk",
                    "mode": "isolated",
                    "subnet": "10.99.44.0/24",
                    "start": "on",
                }
            case "networks:remove":
                return {"confirm": Network.objects.get(pk=pk).name}
            case "storage:pool-create":
                path = "/var/lib/libvirt/images/t-walk"
                return {"host": self.host.pk, "name": "t-walk", "path": path, "autostart": "on"}
            case "storage:pool-remove":
                return {"confirm": Pool.objects.get(pk=pk).name}
            case "storage:volume-create":
                return {"name": "t-walk.qcow2", "format": "qcow2", "size_gib": "0.01"}
            case "storage:volume-clone":
                return {"name": "t-copy.qcow2", "pool": Volume.objects.get(pk=pk).pool_id}
            case "storage:volume-grow":
                return {"size_gib": "0.02"}
            case "storage:volume-delete":
                return {"confirm": Volume.objects.get(pk=pk).name}
        return {}


def name_of(place: str) -> str:
    """The name of an address of ours, "" where it is none."""
    try:
        return resolve(place.partition("?")[0]).view_name
    except Resolver404:
        return ""
