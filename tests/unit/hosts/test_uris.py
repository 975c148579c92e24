"""Addresses made of parts: libvirt reads from them just what was filled in."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosts.addresses import fault_of_uri
from hosts.uris import How, Parts, fault_of_host
from virt.transport import endpoint, resolve

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,10}){0,3}", fullmatch=True)
HOSTS = st.one_of(NAMES, st.builds(str, st.builds(IPv4Address, st.integers(0, 2**32 - 1))), st.builds(
    str, st.builds(IPv6Address, st.integers(0, 2**128 - 1))
))  # fmt: skip
USERS = st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,20}", fullmatch=True))
PORTS = st.one_of(st.none(), st.integers(1, 65535))
PATHS = st.one_of(st.just(""), st.from_regex(r"/[ -~]{1,40}", fullmatch=True))
FAR = st.builds(Parts, st.sampled_from([How.TCP, How.TLS]), host=HOSTS, port=PORTS, user=USERS)
SSH = st.builds(Parts, st.just(How.SSH), host=HOSTS, port=PORTS, user=USERS, socket=PATHS, session=st.booleans())
LOCAL = st.builds(Parts, st.just(How.LOCAL), socket=PATHS, session=st.booleans())


@given(st.one_of(FAR, SSH, LOCAL))
def test_parts_make_an_address_that_leads_where_they_say(parts: Parts) -> None:
    assert fault_of_uri(parts.uri) == ""
    peer = endpoint(parts.uri)
    assert peer.transport == {How.LOCAL: "unix"}.get(parts.how, parts.how.value)
    assert peer.host == parts.host
    assert parts.port in (None, peer.port)
    assert peer.path == parts.socket
    if parts.how == How.SSH:
        assert peer.user == parts.user


@given(st.one_of(FAR, SSH, LOCAL))
def test_an_address_comes_back_in_its_parts(parts: Parts) -> None:
    assert Parts.of(parts.uri) == parts


@given(st.one_of(NAMES, st.text(max_size=60)))
def test_any_address_comes_back_whole_or_not_at_all(text: str) -> None:
    for uri in (text, f"qemu+ssh://{text}/system", f"qemu+tcp://u@h/system?{text}"):
        parts = Parts.of(uri)
        assert parts is None or parts.uri == uri


@pytest.mark.parametrize(
    "uri",
    ["test:///default", "lxc:///", "qemu+ssh://h/system?proxy=netcat", "qemu+ssh://H/system", "qemu+tcp://h:16509/x",
     "qemu+ssh://u:word@h/system", "qemu://h/system", "qemu+tls://h/system#x", "qemu+tcp://[/system"],
)  # fmt: skip
def test_an_address_that_says_more_is_written_out(uri: str) -> None:
    assert Parts.of(uri) is None


@pytest.mark.parametrize("host", ["kvm.example", "10.0.0.4", "fd00::1", "kvm_4", "KVM-04"])
def test_a_machine_is_named_in_every_usual_way(host: str) -> None:
    assert fault_of_host(host) == ""


@pytest.mark.parametrize(
    "host",
    ["", "kvm:22", "kvm/04", "a b", "-oProxyCommand=x", "fe80::1%eth0", "u@h", "主机", "kvm..example", "h" * 64],
)
def test_what_is_no_name_is_refused(host: str) -> None:
    assert fault_of_host(host)


@pytest.mark.parametrize("zone", ["%25lo", "%lo"])
def test_a_link_local_address_leads_to_its_zone_however_it_is_written(zone: str) -> None:
    uri = f"qemu+tcp://[fe80::1{zone}]/system"
    assert (fault_of_uri(uri), endpoint(uri).host) == ("", "fe80::1%lo")
    assert resolve(endpoint(uri)) == {"fe80::1"}
