"""What is built into a host."""

import pytest

from tests.unit.virt.golden_files import named
from virt.access import Access
from virt.connection import open_connection
from virt.devices import DeviceFacts, facts_of, list_devices
from virt.xml.device import NodeDevice


def device_of(name: str) -> NodeDevice:
    device = named(name)
    assert isinstance(device, NodeDevice)
    return device


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("device-usb", DeviceFacts("usb_1_6", "usb", "Yubico.com YubiKey OTP+FIDO+CCID", "001/004", "usb")),
        ("device-net", DeviceFacts("net_eno1_52_54_00_aa_01_02", "net", "eno1", "52:54:00:aa:01:02", link=True)),
        ("device-scsi", DeviceFacts("scsi_host2", "scsi", "scsi_host2", "host2")),
        (
            "device-disk",
            DeviceFacts(
                "block_sda_Samsung_SSD_860_S3Z9NB0K123456X",
                "disk",
                "ATA Samsung_SSD_860",
                "/dev/sda",
                size_bytes=500107862016,
            ),
        ),
    ],
)
def test_a_device_is_told_in_its_makers_words_with_its_place(name: str, facts: DeviceFacts) -> None:
    assert list(facts_of(device_of(name))) == [facts]


def test_a_card_that_can_be_divided_is_told_with_each_way_to_divide_it() -> None:
    card, *ways = facts_of(device_of("device-gpu"))
    assert (card.title, card.address, card.driver, card.iommu_group) == (
        "NVIDIA Corporation TU104GL [Tesla T4]",
        "0000:3b:00.0",
        "nvidia",
        31,
    )
    assert [(way.kind, way.title, way.available) for way in ways] == [
        ("mdev", "GRID T4-1B", 16),
        ("mdev", "GRID T4-2B", 8),
    ]


def test_a_maker_without_words_is_told_by_numbers() -> None:
    device = device_of("device-gpu")
    device.vendor, device.product = "", ""
    assert next(facts_of(device)).title == "10de:1eb8"


def test_a_driver_that_has_devices_lists_them() -> None:
    with open_connection(Access("test:///default")) as conn:
        found = list_devices(conn)
    assert sorted((device.name, device.kind) for device in found) == [
        ("scsi_host1", "scsi"),
        ("scsi_host11", "scsi"),
        ("scsi_host2", "scsi"),
    ]
