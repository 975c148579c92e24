"""Where a display is looked for, by where its host says that it listens."""

import socket

import pytest

from console import targets
from console.refusals import NoWay, OutOfReach
from console.targets import is_for_the_host_alone, there_of
from tests.stack import free_port
from virt.displays import Listening


@pytest.mark.parametrize(
    ("shown", "there"),
    [
        (Listening(1, "127.0.0.1", 5901), "[127.0.0.1]:5901"),
        (Listening(1, "0.0.0.0", 5901), "[127.0.0.1]:5901"),  # noqa: S104
        (Listening(1, "::", 5901), "[::1]:5901"),
        (Listening(1, "10.0.0.7", 5901), "[10.0.0.7]:5901"),
        (Listening(1, "fe80::1%br0", 5901), "[fe80::1%br0]:5901"),
        (Listening(1, "", 5901), "[localhost]:5901"),
        (Listening(1, path="/run/vnc.sock"), "/run/vnc.sock"),
    ],
)
def test_ssh_is_led_to_where_the_host_itself_would_look(shown: Listening, there: str) -> None:
    assert there_of(shown) == there


@pytest.mark.parametrize("shown", [Listening(1), Listening(1, "127.0.0.1", 0), Listening(1, "a]:1 -o x", 5900)])
def test_ssh_is_led_nowhere_else(shown: Listening) -> None:
    with pytest.raises(OutOfReach):
        there_of(shown)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "/run/vnc.sock", ""])
def test_a_loopback_is_its_hosts_alone(address: str) -> None:
    assert is_for_the_host_alone(address)


@pytest.mark.parametrize("address", ["10.0.0.7", "::", "kvm-03.example"])
def test_other_addresses_are_on_the_network(address: str) -> None:
    assert not is_for_the_host_alone(address)


def test_a_name_that_leads_to_this_machine_is_not_followed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OutOfReach):
        targets.socket_to("localhost", listener.getsockname()[1])


def test_a_port_where_nobody_listens_is_no_display() -> None:
    with pytest.raises(NoWay):
        targets.socket_to("127.0.0.1", free_port())
