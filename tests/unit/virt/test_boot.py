"""The CD before everything else that a guest boots from."""

import pytest

from virt.boot import put_cd_first
from virt.errors import NotFound
from virt.xml.domain import Domain

DOMAIN = """<domain type='qemu'><name>x</name><os><type arch='x86_64'>hvm</type>{os}</os><devices>
<disk type='file' device='disk'><source file='/a'/><target dev='vda'/>{disk}</disk>
<disk type='file' device='cdrom'><target dev='sda'/></disk>
<disk type='file' device='cdrom'>{source}<target dev='sdb'/>{cd}</disk>
<interface type='network'>{card}</interface></devices></domain>"""
SOURCE = "<source file='/iso'/>"


def orders(**parts: str) -> list[int | None]:
    domain = Domain.parse(DOMAIN.format(**({"os": "", "disk": "", "cd": "", "card": "", "source": SOURCE} | parts)))
    put_cd_first(domain)
    assert domain.node.find("os/boot") is None
    return [disk.boot_order for disk in domain.disks] + [card.boot_order for card in domain.interfaces]


def test_the_rest_keeps_its_order() -> None:
    assert orders(disk="<boot order='1'/>", cd="<boot order='2'/>", card="<boot order='3'/>") == [2, None, 1, 4]
    assert orders(disk="<boot order='1'/>") == [2, None, 1, None]


def test_kinds_of_devices_become_an_order() -> None:
    assert orders(os="<boot dev='hd'/><boot dev='network'/>") == [2, None, 1, None]
    assert orders() == [2, None, 1, None]


def test_an_empty_drive_is_none() -> None:
    with pytest.raises(NotFound):
        orders(source="")
