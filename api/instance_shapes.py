"""How the API writes a guest, and what it takes for a new one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from api.fields import MOST_BYTES, Id, Moment, Shape, Strict
from hosts.models import Known
from instances.models import Instance
from instances.spec import BUSES, CARDS, CPUS, FIRMWARES, FORMATS, VIDEOS
from networks.models import Network
from storage.models import Volume

MOST_VCPUS = 2**15 - 1
MOST_DEVICES = 100


@dataclass(frozen=True)
class Places:
    """The ids of the volumes (by host and path) and networks (by host and name) that guests name."""

    volumes: dict[tuple[int, str], int]
    networks: dict[tuple[int, str], int]

    @classmethod
    def of(cls, instances: Iterable[Instance], user: Any) -> "Places":
        """Those that `user` may see, read in one query each."""
        guests = list(instances)
        hosts = {guest.host_id for guest in guests}
        paths = {disk["path"] for guest in guests for disk in guest.disks if disk["path"]}
        names = {card["network"] for guest in guests for card in guest.interfaces if card["network"]}
        volumes = Volume.objects.visible_to(user).filter(pool__host__in=hosts, path__in=paths)
        networks = Network.objects.visible_to(user).filter(host__in=hosts, name__in=names)
        return cls(
            {(host, path): pk for pk, host, path in volumes.values_list("pk", "pool__host_id", "path")},
            {(host, name): pk for pk, host, name in networks.values_list("pk", "host_id", "name")},
        )


class DiskSerializer(Shape):
    """`volume` is null where the path is no volume that one may see."""

    device = serializers.CharField()
    target = serializers.CharField()
    bus = serializers.CharField()
    format = serializers.CharField()
    path = serializers.CharField()
    volume = serializers.IntegerField(allow_null=True)
    readonly = serializers.BooleanField()
    shareable = serializers.BooleanField()


class CardSerializer(Shape):
    """`network` is null where the card is on no virtual network that one may see."""

    network = serializers.IntegerField(allow_null=True)
    network_name = serializers.CharField()
    bridge = serializers.CharField()
    mac = serializers.CharField()
    model = serializers.CharField()


class GraphicsSerializer(Shape):
    """A display. `port` is null while the guest is off."""

    type = serializers.CharField()
    port = serializers.IntegerField(allow_null=True)
    listen = serializers.CharField()


class InstanceSerializer(Shape):
    """A guest as last seen; `stale_since` is null while its host is up.

    What it is made of (vcpus, memory, disks, networks, graphics, title, notes, tags) is as its `definition`: empty
    while that is `unread`, and maybe older than the connection to its host while that is `last_known`.
    """

    id = serializers.IntegerField()
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    notes = serializers.CharField()
    host = serializers.IntegerField(source="host_id")
    host_name = serializers.CharField(source="host.name")
    state = serializers.ChoiceField(choices=Instance.State.choices)
    state_since = Moment(allow_null=True)
    stale_since = Moment(allow_null=True)
    definition = serializers.ChoiceField(choices=Known.choices)
    vcpus = serializers.IntegerField()
    memory_bytes = serializers.IntegerField()
    autostart = serializers.BooleanField()
    persistent = serializers.BooleanField()
    saved = serializers.BooleanField(help_text="Whether its memory is saved: its next start goes on from there.")
    addresses = serializers.ListField(
        child=serializers.CharField(), help_text="IP addresses, by its agent, DHCP leases and its host's ARP table."
    )
    tags = serializers.ListField(child=serializers.CharField())
    disks = DiskSerializer(many=True)
    networks = CardSerializer(many=True)
    graphics = GraphicsSerializer(many=True)

    def to_representation(self, instance: Instance) -> dict[str, Any]:
        places: Places = self.context["related"]
        host = instance.host_id
        return {
            "id": instance.pk,
            "uuid": str(instance.uuid),
            "name": instance.name,
            "title": instance.title,
            "notes": instance.notes,
            "host": host,
            "host_name": instance.host.name,
            "state": instance.state,
            "state_since": moment(instance.state_since),
            "stale_since": moment(instance.stale_since),
            "definition": instance.definition,
            "vcpus": instance.vcpus,
            "memory_bytes": instance.memory_bytes,
            "autostart": instance.autostart,
            "persistent": instance.persistent,
            "saved": instance.has_managed_save,
            "addresses": instance.ips,
            "tags": instance.tags,
            "disks": [{**disk, "volume": places.volumes.get((host, disk["path"]))} for disk in instance.disks],
            "networks": [
                {
                    "network": places.networks.get((host, card["network"])),
                    "network_name": card["network"],
                    "bridge": card["bridge"],
                    "mac": card["mac"],
                    "model": card["model"],
                }
                for card in instance.interfaces
            ],
            "graphics": instance.graphics,
        }


def moment(value: Any) -> Any:
    return MOMENT.to_representation(value) if value is not None else None


MOMENT = Moment()


class NewDiskSerializer(Strict):
    """An empty disk to be made (`pool`, `size_bytes`, `format`: qcow2), or a `volume` that is there already."""

    pool = Id(required=False)
    size_bytes = serializers.IntegerField(min_value=1, max_value=MOST_BYTES, required=False)
    format = serializers.ChoiceField(choices=FORMATS, required=False)
    volume = Id(required=False, help_text="No guest may use it. It is never deleted with the guest.")
    bus = serializers.ChoiceField(choices=BUSES, default="virtio")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        new = {"pool", "size_bytes"}
        if "volume" in attrs:
            given = sorted(attrs.keys() & {*new, "format"})
            raise_for(given, _("This is of a new disk, and cannot go with a volume."))
        else:
            raise_for(sorted(new - attrs.keys()), _("A new disk needs this; one that is there is a volume."))
        return attrs


def raise_for(fields: Iterable[str], words: str) -> None:
    """Raise ValidationError that says `words` of each field, if there are any."""
    if errors := {field: [words] for field in fields}:
        raise serializers.ValidationError(errors)


class MediaSerializer(Strict):
    """A CD: a volume that is an ISO image."""

    volume = Id()


class NewCardSerializer(Strict):
    """A network card."""

    network = Id()
    model = serializers.ChoiceField(choices=CARDS, default="virtio")


class NewInstanceSerializer(Strict):
    """A new guest. Without `networks` it is on its host's network `default`, where there is one; `[]` is none."""

    host = Id()
    name = serializers.CharField(trim_whitespace=False, help_text="Its volumes are called after it.")
    vcpus = serializers.IntegerField(min_value=1, max_value=MOST_VCPUS, required=False)
    memory_bytes = serializers.IntegerField(min_value=1, max_value=MOST_BYTES, required=False)
    firmware = serializers.ChoiceField(choices=FIRMWARES, default="bios")
    machine = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="Left out: the host's choice."
    )
    virt_type = serializers.ChoiceField(
        choices=("kvm", "qemu"), required=False, help_text="Left out: kvm where the host can, else qemu."
    )
    cpu = serializers.ChoiceField(
        choices=CPUS, required=False, help_text="Left out: the host's own with kvm, else all that QEMU can emulate."
    )
    video = serializers.ChoiceField(choices=VIDEOS, default="vga")
    graphics = serializers.ChoiceField(choices=("vnc",), default="vnc")
    os = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="What will be installed; nothing depends on it."
    )
    disks = NewDiskSerializer(many=True, required=False)
    cdrom = MediaSerializer(required=False, allow_null=True)
    networks = NewCardSerializer(many=True, required=False)
    start = serializers.BooleanField(default=False)


class PatchInstanceSerializer(Strict):
    """What of a guest can be changed; it is kept in its own definition on the host."""

    title = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    notes = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False, max_length=MOST_DEVICES)
    autostart = serializers.BooleanField(required=False, help_text="Whether it starts with its host.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Say what to change."))
        return attrs


class ChangeMediaSerializer(Strict):
    """What to put into a CD drive; null ejects what is in it."""

    volume = Id(allow_null=True)
    target = serializers.CharField(
        required=False, max_length=32, help_text="The drive, as `sda`; left out: the first one."
    )


class XmlSerializer(Shape):
    """A guest's definitions as libvirt writes them. `inactive_xml` is what it has from its next start on."""

    xml = serializers.CharField()
    inactive_xml = serializers.CharField()


class AskConsoleSerializer(Strict):
    type = serializers.ChoiceField(choices=("vnc",), default="vnc")


class ConsoleSerializer(Shape):
    """A display to open, once, before `expires_at`: `url` is its page, `websocket` speaks RFB."""

    url = serializers.URLField()
    websocket = serializers.URLField()
    expires_at = Moment()
