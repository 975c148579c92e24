"""A machine that was added more than once is told, to whoever can remove it: its guests are listed for each."""

import pytest

from hosts.models import Host, HostStatus
from tests.unit.world import World

UUID = "0c3bcf17-8034-420a-8ba0-e4699302bdb6"


@pytest.fixture
def twins(world: World) -> World:
    HostStatus.objects.update(host_uuid=UUID, driver="QEMU")
    return world


def page(world: World, url: str, name: str = "admin") -> str:
    return world.client(name).get(url).content.decode()


def test_each_of_them_leads_to_the_other(twins: World) -> None:
    for url in (f"/hosts/{twins.host.pk}/", f"/hosts/{twins.host.pk}/connect/"):
        text = page(twins, url)
        assert "kvm-01 is here more than once" in text
        assert f'href="/hosts/{twins.other_host.pk}/">kvm-02</a>' in text
    assert "kvm-01, kvm-02 are the same machine" in page(twins, "/")


def test_who_cannot_remove_them_is_not_told(twins: World) -> None:
    assert "more than once" not in page(twins, f"/hosts/{twins.host.pk}/", "manager")
    assert "same machine" not in page(twins, "/", "manager")


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("lxc:///system", {"driver": "LXC"}),
        ("qemu+ssh://alice@kvm-02/session", {}),
        ("qemu:///system", {"host_uuid": "another"}),
        ("qemu:///system", {"host_uuid": ""}),
    ],
)
def test_another_libvirt_of_one_machine_is_another_host(twins: World, uri: str, status: dict[str, str]) -> None:
    Host.objects.filter(pk=twins.other_host.pk).update(uri=uri)
    HostStatus.objects.filter(host=twins.other_host).update(**status)
    for host in (twins.host, twins.other_host):
        assert "more than once" not in page(twins, f"/hosts/{host.pk}/")
    assert "same machine" not in page(twins, "/")


def test_hosts_that_tell_no_uuid_are_not_taken_for_one(twins: World) -> None:
    HostStatus.objects.update(host_uuid="")
    assert "more than once" not in page(twins, f"/hosts/{twins.host.pk}/")
    assert "same machine" not in page(twins, "/")
