"""Adding a host: only what libvirt can be asked by."""

import pytest
from django.core.exceptions import PermissionDenied

from hosts.models import Host
from hosts.services import add_host
from tasks.errors import Invalid
from tests.unit.world import World


@pytest.mark.parametrize(
    "uri",
    ["qemu:///system", "qemu:///session", "qemu+tcp://10.0.0.3/system", "qemu+tls://kvm.example:16514/system",
     "qemu+unix:///system?socket=/run/libvirt/libvirt-sock", "test:///default", "qemu+tcp://[fd00::1]/system",
     f"qemu+tls://{'h' * 63}.example./system",
     "qemu+ssh://webvirt@kvm.example:2222/system", "lxc+ssh://root@10.0.0.4/", "xen+ssh://h/system?socket=/run/x"],
)  # fmt: skip
def test_an_address_that_libvirt_understands_is_taken(world: World, uri: str) -> None:
    assert add_host(name=f" {uri} ", uri=f" {uri} ", actor=world.admin).uri == uri


@pytest.mark.parametrize(
    "uri",
    ["", "x", "not an address", "qemu:system", "qemu+tcp://h:99999999/system", "qemu+tcp://[/system", "qemu+tcp://h:x/",
     "qemu+smoke://h/system", "qemu+ext://h/system?command=/bin/sh", "qemu:///system\x00", "qemu:///系统",
     "javascript:alert(1)", "qemu+ssh://-oProxyCommand=x/system", "qemu+ssh://-l@h/system", "qemu+ssh://u:word@h/system",
     "qemu+ssh://h/system?command=/bin/sh", "qemu+ssh://h/system?keyfile=/root/.ssh/id", "qemu+tls://h/system?no_verify=1",
     "qemu+libssh://h/system?known_hosts_verify=ignore", "qemu+ssh://kvm..example/system", "qemu+tcp://h:0/system",
     f"qemu+tls://{'h' * 64}.example/system",
     "qemu:///" + "x" * 500],
)  # fmt: skip
def test_any_other_address_is_refused_in_words(world: World, uri: str) -> None:
    with pytest.raises(Invalid) as told:
        add_host(name="new", uri=uri, actor=world.admin)
    assert list(told.value.errors) == ["uri"]
    assert Host.objects.count() == 2


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "a\nb", "\ud800", "kvm-01"])
def test_a_name_that_is_empty_endless_invisible_or_taken_is_refused(world: World, name: str) -> None:
    with pytest.raises(Invalid) as told:
        add_host(name=name, uri="qemu:///system", actor=world.admin)
    assert list(told.value.errors) == ["name"]


def test_only_an_admin_adds_hosts(world: World) -> None:
    with pytest.raises(PermissionDenied):
        add_host(name="new", uri="qemu:///system", actor=world.manager)
