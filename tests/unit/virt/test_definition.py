"""The definition of a new guest: golden files, and what must hold for every choice."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virt.definition import DiskSpec, GuestSpec, NicSpec, build
from virt.xml.capabilities import Capabilities, DomainCapabilities
from virt.xml.domain import CpuMode, DiskBus, DiskDevice, VirtType

GOLDEN = Path(__file__).parent / "golden"
DOMCAPS = DomainCapabilities.parse((GOLDEN / "domcapabilities-q35.xml").read_text())
GIB = 1024**3

SPECS = {
    "guest-iso": GuestSpec(
        uuid=UUID("11111111-2222-3333-4444-555555555555"),
        name="web-1",
        title="网站",
        vcpus=2,
        memory_bytes=2 * GIB,
        virt_type=VirtType.QEMU,
        disks=(DiskSpec("/pool/web-1.qcow2"),),
        cdrom="/pool/debian.iso",
        networks=(NicSpec("default"),),
    ),
    "guest-uefi-scsi": GuestSpec(
        uuid=UUID("11111111-2222-3333-4444-555555555556"),
        name="db-1",
        vcpus=4,
        memory_bytes=GIB,
        virt_type=VirtType.KVM,
        firmware="uefi",
        disks=(DiskSpec("/pool/a.qcow2", bus=DiskBus.SCSI), DiskSpec("/pool/b.raw", "raw", DiskBus.SATA)),
        networks=(NicSpec("lan", "e1000e", "52:54:00:00:00:01"), NicSpec("default")),
    ),
}

buses = st.sampled_from([DiskBus.VIRTIO, DiskBus.SATA, DiskBus.SCSI, DiskBus.USB])
specs = st.builds(
    GuestSpec,
    uuid=st.uuids(),
    name=st.just("guest"),
    vcpus=st.integers(1, 64),
    memory_bytes=st.integers(1, 2**50),
    virt_type=st.sampled_from([VirtType.KVM, VirtType.QEMU]),
    disks=st.lists(st.builds(DiskSpec, st.just("/pool/x"), st.just("raw"), buses), max_size=5).map(tuple),
    cdrom=st.none() | st.just("/pool/cd.iso"),
    networks=st.lists(st.builds(NicSpec, st.just("lan")), max_size=3).map(tuple),
)


@pytest.mark.parametrize("name", SPECS)
def test_the_definition_is_as_in_the_golden_file(name: str) -> None:
    assert build(SPECS[name], DOMCAPS).to_xml() + "\n" == (GOLDEN / f"{name}.xml").read_text()


@given(specs)
def test_disks_start_first_then_the_cd_then_the_network(spec: GuestSpec) -> None:
    domain = build(spec, DOMCAPS)
    orders = [disk.boot_order for disk in domain.disks if disk.boot_order]
    orders += [card.boot_order for card in domain.interfaces if card.boot_order]
    assert orders == list(range(1, len(orders) + 1))
    assert all(card.boot_order for card in domain.interfaces)


@given(specs)
def test_no_two_disks_share_a_name(spec: GuestSpec) -> None:
    targets = [disk.target for disk in build(spec, DOMCAPS).disks]
    assert len(set(targets)) == len(targets) == len(spec.disks) + (spec.cdrom is not None)


@given(specs)
def test_sizes_and_names_come_out_as_they_went_in(spec: GuestSpec) -> None:
    domain = build(spec, DOMCAPS)
    assert (domain.memory_bytes, domain.vcpus, domain.uuid) == (spec.memory_bytes, spec.vcpus, str(spec.uuid))


def test_an_emulated_guest_gets_the_best_processor_there_is() -> None:
    assert build(SPECS["guest-iso"], DOMCAPS).cpu_mode is CpuMode.MAXIMUM
    assert build(SPECS["guest-iso"], None).cpu_mode is None


def test_a_guest_on_kvm_gets_the_hosts_own_processor() -> None:
    offers = (GOLDEN / "domcapabilities-q35.xml").read_text()
    offers = offers.replace("name='host-passthrough' supported='no'", "name='host-passthrough' supported='yes'")
    domain = build(SPECS["guest-uefi-scsi"], DomainCapabilities.parse(offers))
    assert domain.cpu_mode is CpuMode.HOST_PASSTHROUGH


@pytest.mark.parametrize("mode", list(CpuMode))
def test_a_processor_that_somebody_chose_is_the_guests(mode: CpuMode) -> None:
    assert build(replace(SPECS["guest-iso"], cpu=mode), DOMCAPS).cpu_mode is mode


def test_without_an_iso_there_is_no_drive() -> None:
    assert all(disk.device is DiskDevice.DISK for disk in build(SPECS["guest-uefi-scsi"], DOMCAPS).disks)


def test_domain_capabilities_tell_what_a_form_may_offer() -> None:
    assert DOMCAPS.machine == "pc-q35-7.2"
    assert DOMCAPS.firmware == ["efi"]
    assert "virtio" in DOMCAPS.disk_buses
    assert "vga" in DOMCAPS.video_models
    assert DOMCAPS.supported_cpu_modes == ["maximum", "host-model", "custom"]


def test_capabilities_tell_machines_and_virt_types() -> None:
    capabilities = Capabilities.parse((GOLDEN / "capabilities.xml").read_text())
    assert "q35" in capabilities.machines("x86_64")
    assert capabilities.virt_types("x86_64") == ["qemu", "kvm"]
    assert capabilities.virt_types("pdp11") == []


def test_where_the_display_listens_can_be_left_to_the_host() -> None:
    spec = SPECS["guest-iso"]
    assert build(spec, DOMCAPS).graphics[0].listen == "127.0.0.1"
    assert build(replace(spec, listen=""), DOMCAPS).graphics[0].listen is None
