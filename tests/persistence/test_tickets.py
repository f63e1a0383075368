"""Tickets open one thing, once, for a while."""

import asyncio
import uuid

import pytest
from sqlalchemy import func, select

from persistence.errors import Conflict, TokenInvalid
from persistence.tables import tickets
from persistence.tickets import TicketGrant
from tests.persistence.conftest import HandClock, Home


async def test_a_ticket_is_redeemed_once(home: Home) -> None:
    issued = home.store.tickets
    scope = {"role": "viewer", "prompts": [1, 2]}
    ticket = await issued.issue("sign_in", home.owner_id, home.organization_id, 60, scope=scope)
    assert await issued.redeem("sign_in", ticket) == TicketGrant(home.owner_id, home.organization_id, scope)
    with pytest.raises(TokenInvalid):
        await issued.redeem("sign_in", ticket)


async def test_of_many_who_redeem_it_at_once_one_succeeds(home: Home) -> None:
    ticket = await home.store.tickets.issue("websocket", home.owner_id, home.organization_id, 60)
    redeemed = [home.store.tickets.redeem("websocket", ticket) for _ in range(6)]
    outcomes = await asyncio.gather(*redeemed, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(TicketGrant) == 1


async def test_a_ticket_opens_only_what_it_is_for(home: Home) -> None:
    ticket = await home.store.tickets.issue("websocket", home.owner_id, home.organization_id, 60)
    with pytest.raises(TokenInvalid):
        await home.store.tickets.redeem("sign_in", ticket)
    assert (await home.store.tickets.redeem("websocket", ticket)).scope is None


async def test_a_ticket_expires(home: Home, clock: HandClock) -> None:
    ticket = await home.store.tickets.issue("websocket", home.owner_id, home.organization_id, 30)
    clock.advance(seconds=30)
    with pytest.raises(TokenInvalid):
        await home.store.tickets.redeem("websocket", ticket)


async def test_an_unknown_ticket_is_as_invalid_as_a_used_one(home: Home) -> None:
    for ticket in ("", "made up", "é" * 1000, "\x00"):
        with pytest.raises(TokenInvalid):
            await home.store.tickets.redeem("sign_in", ticket)


async def test_the_database_does_not_know_the_ticket(home: Home) -> None:
    ticket = await home.store.tickets.issue("sign_in", home.owner_id, home.organization_id, 60)
    async with home.store.database.read() as connection:
        row = (await connection.execute(select(tickets))).one()
    assert ticket not in str(row)
    assert ticket.encode() not in row.hash


async def test_tickets_that_expired_long_ago_are_swept(home: Home, clock: HandClock) -> None:
    for _ in range(3):
        await home.store.tickets.issue("websocket", home.owner_id, home.organization_id, 30)
        clock.advance(days=2)
    async with home.store.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(tickets)) == 1


async def test_a_ticket_for_nobody_is_refused(home: Home) -> None:
    with pytest.raises(Conflict):
        await home.store.tickets.issue("sign_in", uuid.uuid4(), home.organization_id, 60)
