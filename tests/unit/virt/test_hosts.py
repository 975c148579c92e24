"""What is chosen for the guests of a host, from its capabilities."""

import pytest

from tests.unit.virt.golden_files import named
from virt import hosts
from virt.connection import Connection
from virt.xml.capabilities import Capabilities, Cpu


def capabilities_of(name: str) -> Capabilities:
    found = named(name)
    assert isinstance(found, Capabilities)
    return found


@pytest.mark.parametrize(
    ("name", "arch", "kvm"),
    [
        ("capabilities-epyc", "x86_64", True),  # svm is said by the model alone
        ("capabilities-skylake", "x86_64", True),  # vmx stands beside the model
        ("capabilities-no-virt", "x86_64", False),
        ("capabilities-no-kvm", "x86_64", False),
        ("capabilities-aarch64", "aarch64", True),
        ("capabilities-aarch64", "armv7l", False),
        ("capabilities", "x86_64", False),
    ],
)
def test_kvm_is_chosen_where_the_processor_carries_it(conn: Connection, name: str, arch: str, kvm: bool) -> None:
    chosen = hosts.choose_acceleration(conn, capabilities_of(name), arch)
    assert chosen.kvm is kvm
    assert ("QEMU emulates" in chosen.reason) is not kvm


@pytest.mark.parametrize(("policy", "has"), [("require", True), ("disable", False)])
def test_a_feature_of_the_model_that_the_processor_lacks_does_not_count(policy: str, has: bool) -> None:
    """As libvirt 11.3 expands an EPYC that cannot nest."""
    cpu = Cpu.parse(
        "<cpu mode='custom' match='exact'><model fallback='allow'>EPYC</model>"
        f"<feature policy='require' name='x2apic'/><feature policy='{policy}' name='svm'/></cpu>"
    )
    assert hosts.has_hardware(cpu) is has


@pytest.mark.parametrize(
    ("name", "arch", "machine"),
    [
        ("capabilities-epyc", "x86_64", "q35"),
        ("capabilities-aarch64", "aarch64", "virt"),
        ("capabilities", "ppc64", ""),
    ],
)
def test_the_newest_kind_of_machine_is_chosen(name: str, arch: str, machine: str) -> None:
    assert hosts.preferred_machine(capabilities_of(name), arch) == machine
