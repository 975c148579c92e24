"""A host of which a part is away: what its rows say, and when its connection is made anew."""

import pytest

from hosts.models import Host, HostStatus
from monitor.intake import Intake
from monitor.link import Link
from monitor.parts import Parts, Renew
from virt import domains, parts
from virt.errors import NotFound, PartAway, TimedOut, Unreachable, VirtError

STORAGE = PartAway(params={"daemon": "virtstoraged"})
NETWORK = PartAway(params={"daemon": "virtnetworkd"})
SECRET = PartAway(params={"daemon": "virtsecretd"})
LOG = PartAway(params={"daemon": "virtlogd"})
ENDED = Unreachable(libvirt="internal error: client socket is closed")


@pytest.fixture
def watched(host: Host, link: Link, intake: Intake) -> Parts:
    """A host that was connected while its storage and its secrets were away."""
    assert link.away == []
    link.away.extend((STORAGE, SECRET))
    return Parts(host.pk, link, intake)


def test_the_row_says_since_when_and_why(host: Host, watched: Parts, link: Link, intake: Intake) -> None:
    status = HostStatus.objects.get(host=host)
    assert set(status.away) == {"storage"}
    assert status.away["storage"]["params"] == {"daemon": "virtstoraged"}
    Parts(host.pk, link, intake)
    assert HostStatus.objects.get(host=host).away == status.away, "it is away since then"
    link.away.clear()
    Parts(host.pk, link, intake)
    assert HostStatus.objects.get(host=host).away == {}


@pytest.mark.parametrize("error", [NETWORK, ENDED])
def test_a_part_that_has_gone_since_has_the_connection_made_anew(watched: Parts, error: VirtError) -> None:
    with pytest.raises(Renew):
        watched.judge(error)


@pytest.mark.parametrize(
    ("error", "is_known"),
    [(STORAGE, True), (SECRET, True), (LOG, True), (NotFound(), False), (TimedOut(), False)],
)
def test_what_is_known_to_be_away_is_no_news(watched: Parts, error: VirtError, is_known: bool) -> None:
    assert watched.judge(error) is is_known


def test_a_part_that_is_back_has_the_connection_made_anew(watched: Parts, link: Link, intake: Intake) -> None:
    assert list(watched.look(link)) == []
    [take_in] = intake.take(5).answers
    with pytest.raises(Renew):
        take_in()


def test_a_driver_without_such_parts_has_none_away(link: Link) -> None:
    assert link.call(parts.away) == []


def test_a_connection_that_was_said_to_be_closed_is_not_alive(link: Link) -> None:
    """virtproxyd's own outlives that of virtqemud behind it, of whose end it tells."""
    assert link.is_alive
    link._on_close("eof")
    assert not link.is_alive
    assert link.call(domains.list_all), "this driver itself goes on"
