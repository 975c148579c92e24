"""API tokens: made once, kept as a digest, good while their user is."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import ApiToken
from tests.unit.world import World


def test_a_token_is_redeemed_and_only_its_digest_kept(world: World) -> None:
    secret = world.token("viewer")
    token = ApiToken.objects.redeem(secret)
    assert token is not None
    assert token.user == world.viewer
    assert secret not in str(ApiToken.objects.values().get())
    assert ApiToken.objects.redeem(f"{secret}x") is None
    assert ApiToken.objects.redeem("") is None


def test_the_token_of_somebody_who_may_not_come_in_is_none(world: World) -> None:
    secret = world.token("viewer")
    world.viewer.is_active = False
    world.viewer.save()
    assert ApiToken.objects.redeem(secret) is None


def test_its_last_use_is_written_once_a_minute(world: World, django_assert_num_queries: object) -> None:
    secret = world.token("viewer")
    ApiToken.objects.redeem(secret)
    first = ApiToken.objects.get().last_used_at
    ApiToken.objects.redeem(secret)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    ApiToken.objects.redeem(secret)
    assert ApiToken.objects.get().last_used_at >= first


@pytest.mark.parametrize("scope", ["read", "write"])
def test_the_command_prints_a_token_and_nothing_else(world: World, scope: str) -> None:
    out = StringIO()
    call_command("token", "viewer", "script", scope=scope, stdout=out)
    secret = out.getvalue().removesuffix("\n")
    assert secret.split() == [secret]
    token = ApiToken.objects.redeem(secret)
    assert token is not None
    assert (token.user, token.name, token.scope) == (world.viewer, "script", scope)


def test_the_command_knows_active_users_only(world: World) -> None:
    with pytest.raises(CommandError):
        call_command("token", "nobody", "script")
