"""What the tests of connecting a host share: its keys, and how its pages are asked."""

import html
from typing import Any

import pytest
from django.test import Client

from hosts.keys import HostKey
from hosts.models import Host
from tests.unit.world import World

SSH = "qemu+ssh://webvirt@10.0.0.14/system"
OLD = HostKey.parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRgvjEgHmn2qDu6LmZf1x8KZn9rWTJTzWVK9NtcUxxx")
OTHER = HostKey.parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRgvjEgHmn2qDu6LmZf1x8KZn9rWTJTzWVK9NtcUzzz")
NEW = HostKey.parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRgvjEgHmn2qDu6LmZf1x8KZn9rWTJTzWVK9NtcUyyy")


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def post(client: Client, url: str = "/hosts/add/", **fields: Any) -> Any:
    return client.post(url, {"name": "new", "how": "ssh", "user": "webvirt", "scope": "system", **fields})


def steps(world: World, host: Host) -> Any:
    return world.client("admin").get(f"/hosts/{host.pk}/connect/").context["steps"]


def shows(monkeypatch: pytest.MonkeyPatch, *keys: HostKey) -> None:
    """What the host's sshd shows when a worker asks it."""
    monkeypatch.setattr("hosts.services.ask", lambda *args, **options: [str(key) for key in keys])
