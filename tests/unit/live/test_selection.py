"""What of a batch somebody hears: what they may see, and the end of what they could."""

from typing import Any

import pytest

from accounts.models import Grant, User
from hosts import figures
from instances.models import Instance
from live.reader import Batch
from live.selection import Known, figures_for, for_session, seen_by
from tests.unit.world import World, make_instance


def batch(*changes: tuple[str, int, str]) -> Batch:
    made = Batch()
    for seq, change in enumerate(changes, start=1):
        made.add(seq, *change)
    return made


def key(world: World, name: str) -> str:
    return str(world.client(name).session.session_key)


def heard(session: str, known: Known, *changes: tuple[str, int, str]) -> Any:
    told = for_session(session, batch(*changes), known)
    return told and [(change["type"], change["id"], change["change"]) for change in told]


def test_everybody_hears_of_what_they_may_see(world: World) -> None:
    other = make_instance(world.other_host, "db-1")
    changes = [("instance", world.instance.pk, "changed"), ("instance", other.pk, "added"), ("nothing", 1, "changed")]
    assert heard(key(world, "viewer"), {}, *changes) == changes[:1]
    assert heard(key(world, "admin"), {}, *changes) == changes[:2]
    assert heard(key(world, "stranger"), {}, *changes) == []


@pytest.mark.parametrize("name", ["viewer", "admin"])
def test_the_removal_of_what_could_be_seen_as_the_socket_opened_is_told(world: World, name: str) -> None:
    session = key(world, name)
    known = seen_by(session)
    gone = world.instance.pk
    world.instance.delete()
    assert heard(session, known, ("instance", gone, "removed")) == [("instance", gone, "removed")]


def test_the_removal_of_what_could_not_be_seen_is_not_told(world: World) -> None:
    other = make_instance(world.other_host, "db-1")
    session = key(world, "viewer")
    known = seen_by(session)
    gone = other.pk
    other.delete()
    assert heard(session, known, ("instance", gone, "removed")) == []
    assert heard(key(world, "stranger"), seen_by(key(world, "stranger")), ("instance", gone, "removed")) == []


def test_what_is_no_longer_granted_is_told_as_removed(world: World) -> None:
    session = key(world, "viewer")
    known = seen_by(session)
    Grant.objects.filter(user=world.viewer).delete()
    change = ("instance", world.instance.pk, "changed")
    assert heard(session, known, change) == [("instance", world.instance.pk, "removed")]
    known["instance"].discard(world.instance.pk)


def test_added_and_changed_in_one_batch_is_added(world: World) -> None:
    pk = world.instance.pk
    assert heard(key(world, "viewer"), {}, ("instance", pk, "added"), ("instance", pk, "changed")) == [
        ("instance", pk, "added")
    ]


def test_whoever_signed_out_or_may_not_come_in_hears_nothing_more(world: World) -> None:
    client = world.client("viewer")
    session = str(client.session.session_key)
    client.post("/logout/")
    assert for_session(session, Batch(), {}) is None
    session = key(world, "operator")
    User.objects.filter(username="operator").update(is_active=False)
    assert for_session(session, Batch(), {}) is None


def test_figures_are_given_of_what_may_be_seen(world: World, redis_server: Any) -> None:
    other = make_instance(world.other_host, "db-1")
    figures.store("instance", {world.instance.pk: {"cpu_percent": 12.5}, other.pk: {"cpu_percent": 1.0}})
    wanted = {"instance": {world.instance.pk, other.pk}, "host": {world.host.pk}, "nothing": {1}}
    found = figures_for(key(world, "viewer"), wanted)
    assert found["instance"] == {str(world.instance.pk): {"cpu_percent": 12.5}}
    assert figures_for(key(world, "stranger"), wanted)["instance"] == {}


def test_selection_costs_the_same_for_many_changes(world: World, django_assert_max_num_queries: Any) -> None:
    guests = [make_instance(world.host, f"g-{number}") for number in range(50)]
    session = key(world, "viewer")
    with django_assert_max_num_queries(4):
        told = heard(session, {}, *(("instance", guest.pk, "changed") for guest in guests))
    assert len(told) == 50
    assert Instance.objects.count() == 51
