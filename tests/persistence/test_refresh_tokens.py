"""Refresh tokens rotate; one that comes back ends its family."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from persistence.errors import Conflict, TokenInvalid
from persistence.refresh_tokens import TTL_SECONDS, RefreshToken
from persistence.tables import refresh_tokens
from tests.persistence.conftest import HandClock, Home


async def issue(home: Home) -> RefreshToken:
    return await home.store.refresh_tokens.issue(home.owner_id, home.organization_id)


async def is_valid(home: Home, token: RefreshToken) -> bool:
    try:
        await home.store.refresh_tokens.rotate(token.token)
    except TokenInvalid:
        return False
    return True


async def test_a_token_is_replaced_by_the_next_of_its_family(home: Home, clock: HandClock) -> None:
    first = await issue(home)
    clock.advance(days=1)
    second = await home.store.refresh_tokens.rotate(first.token)
    assert second.token != first.token
    assert (second.family, second.user_id, second.organization_id) == (
        *(first.family, home.owner_id),
        home.organization_id,
    )
    assert second.expires_at == clock.now + timedelta(seconds=TTL_SECONDS)
    clock.advance(days=29)
    assert await is_valid(home, second)


async def test_two_tabs_that_rotate_at_once_both_go_on(home: Home, clock: HandClock) -> None:
    first = await issue(home)
    rotations = [home.store.refresh_tokens.rotate(first.token) for _ in range(3)]
    siblings = await asyncio.gather(*rotations)
    assert len({sibling.token for sibling in siblings}) == 3
    clock.advance(seconds=30)
    assert await is_valid(home, first)
    for sibling in siblings:
        assert await is_valid(home, sibling)


async def test_the_grace_counts_from_the_first_rotation(home: Home, clock: HandClock) -> None:
    first = await issue(home)
    for _ in range(2):
        assert await is_valid(home, first)
        clock.advance(seconds=20)
    assert not await is_valid(home, first)


async def test_a_token_that_comes_back_later_ends_its_family_and_no_other(home: Home, clock: HandClock) -> None:
    first, other = await issue(home), await issue(home)
    second = await home.store.refresh_tokens.rotate(first.token)
    clock.advance(seconds=31)
    assert not await is_valid(home, first)
    assert not await is_valid(home, second)
    assert await is_valid(home, other)


async def test_a_token_expires(home: Home, clock: HandClock) -> None:
    token = await home.store.refresh_tokens.issue(home.owner_id, home.organization_id, 60)
    clock.advance(seconds=60)
    assert not await is_valid(home, token)


async def test_signing_out_ends_the_family(home: Home) -> None:
    first = await issue(home)
    second = await home.store.refresh_tokens.rotate(first.token)
    await home.store.refresh_tokens.revoke(first.token)
    assert not await is_valid(home, second)
    await home.store.refresh_tokens.revoke("unknown")


async def test_every_family_of_a_user_can_be_ended(home: Home) -> None:
    other = await home.store.accounts.create_organization("Other")
    here, there = await issue(home), await home.store.refresh_tokens.issue(home.owner_id, other.id)
    await home.store.refresh_tokens.revoke_user(home.owner_id, organization_id=other.id)
    assert not await is_valid(home, there)
    assert await is_valid(home, here)
    await home.store.refresh_tokens.revoke_user(home.owner_id)
    assert not await is_valid(home, here)


async def test_unknown_tokens_are_invalid_and_tokens_for_nobody_refused(home: Home) -> None:
    with pytest.raises(TokenInvalid):
        await home.store.refresh_tokens.rotate("unknown")
    with pytest.raises(Conflict):
        await home.store.refresh_tokens.issue(uuid.uuid4(), home.organization_id)


async def test_expired_tokens_are_swept(home: Home, clock: HandClock) -> None:
    for _ in range(3):
        await issue(home)
        clock.advance(days=31)
    async with home.store.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(refresh_tokens)) == 1
