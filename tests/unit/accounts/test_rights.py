"""Who sees what, and who may do what to it."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from accounts.models import Grant, Role, User
from accounts.rights import Action, Ref, may, most, require, whole
from hosts.models import Host
from instances.models import Instance
from networks.models import Network
from storage.models import Pool, Volume
from tasks.models import Task
from tests.unit.world import World, grant, make_instance, make_task

S = Grant.Scope


def seen(user: Any) -> set[str]:
    return {
        str(row)
        for model in (Host, Instance, Pool, Volume, Network, Task)
        for row in model.objects.visible_to(user)  # type: ignore[attr-defined]
    }


def test_without_a_grant_nothing_is_there(world: World) -> None:
    assert seen(world.stranger) == set()
    assert seen(AnonymousUser()) == set()


def test_an_admin_sees_everything_and_an_inactive_one_nothing(world: World) -> None:
    assert {"kvm-01", "kvm-02", "web-1", "default", "boot.iso"} <= seen(world.admin)
    world.admin.is_active = False
    assert seen(world.admin) == set()
    assert not may(world.admin, Action.SEE, world.instance.ref)


def test_a_grant_on_a_host_shows_what_is_on_it_and_no_other_host(world: World) -> None:
    other = make_instance(world.other_host, "db-1")
    assert "web-1" in seen(world.viewer)
    assert "kvm-02" not in seen(world.viewer)
    assert "db-1" not in seen(world.viewer)
    assert not may(world.manager, Action.SEE, other.ref)


@pytest.mark.parametrize(
    ("scope", "of", "shown"),
    [
        (S.INSTANCE, "instance", {"web-1", "kvm-01", "instances.start web-1"}),
        (S.POOL, "pool", {"default", "kvm-01", "boot.iso", "web-1.qcow2"}),
        (S.NETWORK, "network", {"default", "kvm-01"}),
    ],
)
def test_a_grant_on_one_object_shows_it_and_that_its_host_exists(
    world: World, scope: str, of: str, shown: set[str]
) -> None:
    ref = getattr(world, of).ref
    grant(world.stranger, Role.OPERATOR, scope, world.host, ref.uuid)
    assert seen(world.stranger) == shown
    assert may(world.stranger, Action.OPERATE, ref)
    assert not may(world.stranger, Action.MANAGE, ref)
    assert not may(world.stranger, Action.SEE, world.host.ref), "the host itself was not granted"


def test_the_same_uuid_on_another_host_is_another_guest(world: World) -> None:
    twin = make_instance(world.other_host, "web-1-moving")
    Instance.objects.filter(pk=twin.pk).update(uuid=world.instance.uuid)
    grant(world.stranger, Role.VIEWER, S.INSTANCE, world.host, world.instance.uuid)
    assert "web-1-moving" not in seen(world.stranger)


def test_a_grant_on_everything_covers_every_host(world: World) -> None:
    grant(world.stranger, Role.MANAGER, S.EVERYTHING)
    assert {"kvm-01", "kvm-02", "web-1", "boot.iso"} <= seen(world.stranger)
    assert may(world.stranger, Action.MANAGE, world.other_host.ref)
    assert not may(world.stranger, Action.ADMINISTER, None)


def test_a_group_speaks_for_its_members(world: World) -> None:
    group = Group.objects.create(name="platform")
    Grant.objects.create(group=group, role=Role.OPERATOR, scope=S.HOST, host_id=world.other_host.pk)
    assert not may(world.stranger, Action.SEE, world.other_host.ref)
    world.stranger.groups.add(group)
    assert may(world.stranger, Action.OPERATE, world.other_host.ref)
    assert "kvm-02" in seen(world.stranger)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("viewer", Action.SEE), ("operator", Action.OPERATE), ("manager", Action.MANAGE), ("admin", Action.ADMINISTER)],
)
def test_each_role_includes_the_ones_before_it(world: World, name: str, allowed: Action) -> None:
    user = getattr(world, name)
    assert [action for action in Action if may(user, action, world.instance.ref)] == list(Action)[:allowed]
    assert most(user, [world.instance.ref, world.host.ref]) == dict.fromkeys(
        [world.instance.ref, world.host.ref], allowed
    )


def test_the_most_of_many_grants_counts_and_what_is_not_seen_is_left_out(world: World) -> None:
    grant(world.viewer, Role.MANAGER, S.INSTANCE, world.host, world.instance.uuid)
    refs = [world.instance.ref, world.pool.ref, world.other_host.ref]
    assert most(world.viewer, refs) == {world.instance.ref: Action.MANAGE, world.pool.ref: Action.SEE}
    assert most(AnonymousUser(), refs) == {}


def test_a_host_is_managed_by_a_grant_on_all_of_it(world: World) -> None:
    def managed(user: Any) -> list[str]:
        return [host.name for host in whole(Host.objects.all(), user, Action.MANAGE)]

    assert managed(world.operator) == managed(world.stranger) == managed(AnonymousUser()) == []
    assert managed(world.manager) == ["kvm-01"]
    assert managed(world.admin) == ["kvm-01", "kvm-02"]
    grant(world.stranger, Role.MANAGER, S.INSTANCE, world.host, world.instance.uuid)
    Grant.objects.create(user=world.stranger, role=Role.MANAGER, scope=S.HOST, host_id=None)
    assert managed(world.stranger) == [], "one guest is not the host, and no host is not every host"
    assert most(world.stranger, [world.other_host.ref, world.pool.ref]) == {}
    grant(world.stranger, Role.MANAGER, S.EVERYTHING)
    assert managed(world.stranger) == ["kvm-01", "kvm-02"]


def test_a_volume_and_an_upload_are_their_pools(world: World) -> None:
    grant(world.stranger, Role.MANAGER, S.POOL, world.host, world.pool.uuid)
    assert may(world.stranger, Action.MANAGE, world.volume.ref)
    assert may(world.stranger, Action.MANAGE, Ref("upload", world.host.pk, world.pool.uuid, "x"))


def test_a_refusal_is_in_words(world: World) -> None:
    with pytest.raises(PermissionDenied, match="administrator"):
        require(world.viewer, Action.OPERATE, world.instance.ref)


def test_many_grants_are_no_trouble(world: World, django_assert_max_num_queries: Any) -> None:
    Grant.objects.bulk_create(
        Grant(user=world.stranger, role=Role.VIEWER, scope=S.INSTANCE, host_id=world.host.pk, object_uuid=uuid.uuid4())
        for _ in range(2000)
    )
    grant(world.stranger, Role.VIEWER, S.INSTANCE, world.host, world.instance.uuid)
    with django_assert_max_num_queries(3):
        assert [row.name for row in Instance.objects.visible_to(world.stranger)] == ["web-1"]
    assert Task.objects.visible_to(world.stranger).count() == 1


def test_ones_own_tasks_are_seen_whatever_they_are_about(world: World) -> None:
    make_task(world.stranger, world.instance)
    assert Task.objects.visible_to(world.stranger).count() == 1


def test_a_grant_has_one_holder(world: World) -> None:
    group = Group.objects.create(name="g")
    for holders in ({}, {"user": world.viewer, "group": group}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.create(role=Role.VIEWER, scope=S.EVERYTHING, **holders)


def test_a_user_who_is_deleted_takes_their_grants_along_and_leaves_their_tasks(world: World) -> None:
    User.objects.get(username="operator").delete()
    assert Task.objects.get(pk=world.task.pk).actor_name == "operator"
    assert Grant.objects.count() == 2
