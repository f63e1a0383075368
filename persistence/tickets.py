"""Tickets: short-lived, for one use. The only credential that may stand in a URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import delete, update

from persistence.engine import Clock, Database
from persistence.errors import TokenInvalid
from persistence.secret import new_secret, secret_hash
from persistence.tables import tickets

# Kept for a while after they expired, to see in the database what happened.
_KEPT = timedelta(days=1)

# What a ticket opens; it opens nothing else.
TicketPurpose = Literal["sign_in", "websocket"]


@dataclass(frozen=True, slots=True)
class TicketGrant:
    """What a redeemed ticket grants.

    Args:
        user_id: who.
        organization_id: where.
        scope: what the issuer wrote on it.
    """

    user_id: UUID
    organization_id: UUID
    scope: dict[str, Any] | None


class Tickets:
    """Issues and redeems tickets.

    Args:
        database: where they are.
        clock: what they expire by.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def issue(
        self,
        purpose: TicketPurpose,
        user_id: UUID,
        organization_id: UUID,
        ttl_seconds: float,
        *,
        scope: dict[str, Any] | None = None,
    ) -> str:
        """Return a new ticket.

        Args:
            purpose: what it opens.
            user_id: for whom.
            organization_id: where.
            ttl_seconds: how long it can be redeemed.
            scope: JSON that the redeemer gets back.

        Raises:
            Conflict: there is no such user or organization.
        """
        ticket = new_secret()
        now = self._clock()
        values = {"purpose": purpose, "user_id": user_id, "organization_id": organization_id, "scope": scope}
        lifetime = {"created_at": now, "expires_at": now + timedelta(seconds=ttl_seconds)}
        async with self._database.write() as connection:
            # Swept here, so that the table stays small without a job that somebody has to run.
            await connection.execute(delete(tickets).where(tickets.c.expires_at < now - _KEPT))
            await connection.execute(tickets.insert().values(hash=secret_hash(ticket), **values, **lifetime))
        return ticket

    async def redeem(self, purpose: TicketPurpose, ticket: str) -> TicketGrant:
        """Use a ticket up and return what it grants; of two that redeem it at once, one succeeds.

        Raises:
            TokenInvalid: unknown, for another purpose, used or expired.
        """
        now = self._clock()
        statement = (
            update(tickets)
            .where(
                tickets.c.hash == secret_hash(ticket),
                tickets.c.purpose == purpose,
                tickets.c.used_at.is_(None),
                tickets.c.expires_at > now,
            )
            .values(used_at=now)
            .returning(tickets.c.user_id, tickets.c.organization_id, tickets.c.scope)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            raise TokenInvalid("the ticket is not valid, or not any more")
        return TicketGrant(row.user_id, row.organization_id, row.scope)
