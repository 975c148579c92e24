"""A small installation in rows: people of every role, two hosts, and one of everything."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.test import Client

from accounts.models import ApiToken, Grant, Role, User
from hosts.models import Host, HostStatus
from instances.models import Instance
from networks.models import Interface, Network
from storage.models import Pool, Volume, VolumeUse
from tasks.models import Task
from tasks.runner import words_of
from virt.errors import PartAway

GIB = 1024**3
HEARD = datetime(2026, 11, 24, 12, 3, tzinfo=UTC)


def person(name: str, **fields: object) -> User:
    return User.objects.create_user(name, password="correct horse battery", **fields)


def grant(user: User, role: str, scope: str, host: Host | None = None, uuid: uuid.UUID | None = None) -> Grant:
    return Grant.objects.create(user=user, role=role, scope=scope, host_id=host and host.pk, object_uuid=uuid)


def make_host(name: str, state: str = HostStatus.State.UP) -> Host:
    host = Host.objects.create(name=name, uri="qemu:///system")
    HostStatus.objects.create(
        host=host, state=state, since=HEARD, last_seen=HEARD, synced_at=HEARD, driver="QEMU",
        hypervisor_version="7.2.0", libvirt_version="9.0.0",
        hostname=name, arch="x86_64", cpu_model="EPYC", cpus=8, memory_bytes=16 * GIB, kvm_reason="",
    )  # fmt: skip
    return host


def make_instance(host: Host, name: str, state: str = Instance.State.SHUTOFF) -> Instance:
    return Instance.objects.create(
        host=host, uuid=uuid.uuid4(), name=name, state=state, vcpus=2, memory_bytes=2 * GIB,
        disks=[
            {"device": "disk", "target": "vda", "bus": "virtio", "format": "qcow2",
             "path": f"/pool/{name}.qcow2", "readonly": False, "shareable": False},
            {"device": "cdrom", "target": "sda", "bus": "sata", "format": "raw",
             "path": "", "readonly": True, "shareable": False},
        ],
        interfaces=[{"network": "default", "bridge": "virbr0", "mac": "52:54:00:00:00:01", "model": "virtio"}],
        graphics=[{"type": "vnc", "port": None, "listen": "127.0.0.1"}],
        xml=f"<domain type='kvm'><name>{name}</name></domain>",
        inactive_xml=f"<domain type='kvm'><name>{name}</name></domain>",
    )  # fmt: skip


def make_task(user: User, instance: Instance, **fields: object) -> Task:
    return Task.objects.create(
        **{
            "kind": "instances.start", "queue": "quick", "limit": 120, "actor": user, "actor_name": user.username,
            "host_id": instance.host_id, "host_name": instance.host.name, "object_type": "instance",
            "object_uuid": instance.uuid, "object_name": instance.name, **fields,
        }
    )  # fmt: skip


@dataclass
class World:
    """`viewer`, `operator` and `manager` hold their role on `host`; `stranger` holds nothing."""

    admin: User
    manager: User
    operator: User
    viewer: User
    stranger: User
    host: Host
    other_host: Host
    instance: Instance
    pool: Pool
    volume: Volume
    iso: Volume
    network: Network
    interface: Interface
    task: Task

    @classmethod
    def make(cls) -> "World":
        host, other_host = make_host("kvm-01"), make_host("kvm-02")
        people = {
            "admin": person("admin", is_superuser=True),
            **{name: person(name) for name in ("manager", "operator", "viewer", "stranger")},
        }
        for role in (Role.MANAGER, Role.OPERATOR, Role.VIEWER):
            grant(people[role], role, Grant.Scope.HOST, host)
        instance = make_instance(host, "web-1")
        pool = Pool.objects.create(
            host=host, uuid=uuid.uuid4(), name="default", type="dir", state="active", path="/pool",
            capacity_bytes=100 * GIB, allocation_bytes=10 * GIB, available_bytes=90 * GIB,
        )  # fmt: skip
        volume = Volume.objects.create(
            pool=pool, name="web-1.qcow2", path="/pool/web-1.qcow2", format="qcow2", capacity_bytes=10 * GIB
        )
        iso = Volume.objects.create(pool=pool, name="boot.iso", path="/pool/boot.iso", format="iso")
        VolumeUse.objects.create(
            host=host, path=volume.path, instance_uuid=instance.uuid, instance_name=instance.name, device="vda"
        )
        network = Network.objects.create(
            host=host, uuid=uuid.uuid4(), name="default", active=True, bridge="virbr0", forward="nat",
            addresses=["192.168.122.1/24"], dhcp_ranges=[["192.168.122.2", "192.168.122.254"]],
        )  # fmt: skip
        interface = Interface.objects.create(host=host, name="br0", type="bridge", active=True)
        task = make_task(people["operator"], instance, state=Task.State.SUCCEEDED)
        return cls(
            **people, host=host, other_host=other_host, instance=instance, pool=pool, volume=volume, iso=iso,
            network=network, interface=interface, task=task,
        )  # fmt: skip

    def client(self, name: str) -> Client:
        """A browser in which `name` is signed in; "anonymous": nobody."""
        client = Client(raise_request_exception=False)
        if name != "anonymous":
            client.force_login(getattr(self, name))
        return client

    def token(self, name: str, scope: str = ApiToken.Scope.WRITE) -> str:
        return ApiToken.issue(user=getattr(self, name), name="test", scope=scope)[1]

    def part_is_away(self, daemon: str) -> None:
        """One of the modular daemons of `host` does not run."""
        error = PartAway(params={"daemon": daemon})
        away = {error.part: {**words_of(error), "since": HEARD.isoformat()}}
        HostStatus.objects.filter(host=self.host).update(away=away)

    def host_is_down(self) -> None:
        HostStatus.objects.filter(host=self.host).update(
            state=HostStatus.State.DOWN,
            error={
                "title": "The host cannot be reached", "detail": "There is no connection to libvirt on this host.",
                "hint": "Check that the host is on.", "params": {}, "libvirt": "", "code": "unreachable",
            },
        )  # fmt: skip
