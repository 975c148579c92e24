"""What a host is, and whether its guests are to run by KVM."""

import os
import subprocess

import pytest

from virt import hosts
from virt.connection import Connection
from virt.xml.capabilities import Capabilities, DomainCapabilities

OFFER = """<capabilities>
  <host><cpu><arch>{arch}</arch><model>{model}</model></cpu></host>
  <guest><os_type>hvm</os_type><arch name='{arch}'><domain type='qemu'/>{kvm}</arch></guest>
</capabilities>"""


def offer(model: str, *, arch: str = "x86_64", kvm: bool = True) -> Capabilities:
    return Capabilities.parse(OFFER.format(arch=arch, model=model, kvm="<domain type='kvm'/>" if kvm else ""))


@pytest.mark.parametrize(
    ("model", "kvm"), [("EPYC", True), ("EPYC-Rome", True), ("core2duo", False), ("Haswell", False)]
)
def test_kvm_is_chosen_where_the_processor_has_it_even_if_only_its_model_says_so(
    conn: Connection, model: str, kvm: bool
) -> None:
    assert hosts.choose_acceleration(conn, offer(model), "x86_64").kvm is kvm


def test_kvm_that_is_not_offered_is_not_chosen(conn: Connection) -> None:
    assert not hosts.choose_acceleration(conn, offer("EPYC", kvm=False), "x86_64").kvm


def test_other_architectures_are_taken_at_their_word(conn: Connection) -> None:
    assert hosts.choose_acceleration(conn, offer("", arch="aarch64"), "aarch64").kvm


def test_the_host_is_described_as_virsh_does(conn: Connection) -> None:
    facts = hosts.describe(conn)
    assert facts.hostname == subprocess.check_output(["virsh", "hostname"], text=True).strip()
    assert facts.host_uuid
    assert f"<uuid>{facts.host_uuid}</uuid>" in subprocess.check_output(["virsh", "capabilities"], text=True)
    assert (facts.driver, facts.cpus) == ("QEMU", os.cpu_count())
    capabilities = DomainCapabilities.parse(facts.domcapabilities_xml)
    assert capabilities.virt_type == ("kvm" if facts.kvm else "qemu")
    assert facts.kvm_reason


def test_figures_only_grow(conn: Connection) -> None:
    first, second = hosts.figures(conn), hosts.figures(conn)
    assert first.cpu is not None
    assert second.cpu is not None
    assert first.cpu.total_ns <= second.cpu.total_ns
    assert 0 < second.memory_free_bytes <= second.memory_total_bytes
