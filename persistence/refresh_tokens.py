"""Refresh tokens: each is used once and replaced by the next of its family.

Rules:
- A token that was rotated less than 30 seconds ago gives another sibling: two tabs, or a browser that never got the
  answer, are no theft.
- A rotated token that comes back later was copied. Nobody can tell who holds the copy, so the whole family
  ends and the person signs in again.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.engine import Clock, Database
from persistence.errors import TokenInvalid
from persistence.records import AnyRow
from persistence.secret import new_secret, secret_hash
from persistence.tables import refresh_tokens

TTL_SECONDS = 30 * 24 * 3600.0
GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token that was just handed out.

    Args:
        token: the secret.
        family: what it shares with those before and after it.
        user_id: whose.
        organization_id: where.
        expires_at: when it ends unless it is rotated.
    """

    token: str
    family: UUID
    user_id: UUID
    organization_id: UUID
    expires_at: datetime


class RefreshTokens:
    """Issues, rotates and revokes refresh tokens.

    Args:
        database: where they are.
        clock: what they expire by.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def issue(self, user_id: UUID, organization_id: UUID, ttl_seconds: float = TTL_SECONDS) -> RefreshToken:
        """Return the first token of a new family.

        Raises:
            Conflict: there is no such user or organization.
        """
        now = self._clock()
        async with self._database.write() as connection:
            await connection.execute(delete(refresh_tokens).where(refresh_tokens.c.expires_at < now))
            return await _insert(connection, uuid.uuid4(), user_id, organization_id, now, ttl_seconds)

    async def rotate(self, token: str, ttl_seconds: float = TTL_SECONDS) -> RefreshToken:
        """Return the token that follows ``token``.

        Raises:
            TokenInvalid: unknown, revoked or expired; or rotated before, and then its family is revoked.
        """
        now = self._clock()
        async with self._database.write() as connection:
            row = await _find(connection, token)
            if row is None or row.revoked_at is not None or row.expires_at <= now:
                raise TokenInvalid("the refresh token is not valid, or not any more")
            if row.rotated_at is None or now - row.rotated_at <= GRACE:
                await connection.execute(
                    update(refresh_tokens)
                    .where(refresh_tokens.c.hash == row.hash, refresh_tokens.c.rotated_at.is_(None))
                    .values(rotated_at=now)
                )
                return await _insert(connection, row.family, row.user_id, row.organization_id, now, ttl_seconds)
            await _revoke(connection, now, refresh_tokens.c.family == row.family)
        raise TokenInvalid("the refresh token was used before; its family is revoked")

    async def revoke(self, token: str) -> None:
        """End the family of a token; an unknown one is no error."""
        async with self._database.write() as connection:
            row = await _find(connection, token)
            if row is not None:
                await _revoke(connection, self._clock(), refresh_tokens.c.family == row.family)

    async def revoke_user(self, user_id: UUID, *, organization_id: UUID | None = None) -> None:
        """End every family of a user, everywhere or in one organization."""
        conditions = [refresh_tokens.c.user_id == user_id]
        if organization_id is not None:
            conditions.append(refresh_tokens.c.organization_id == organization_id)
        async with self._database.write() as connection:
            await _revoke(connection, self._clock(), *conditions)


async def _find(connection: AsyncConnection, token: str) -> AnyRow | None:
    statement = select(refresh_tokens).where(refresh_tokens.c.hash == secret_hash(token)).with_for_update()
    return (await connection.execute(statement)).first()


async def _insert(
    connection: AsyncConnection,
    family: UUID,
    user_id: UUID,
    organization_id: UUID,
    now: datetime,
    ttl_seconds: float,
) -> RefreshToken:
    token = RefreshToken(new_secret(), family, user_id, organization_id, now + timedelta(seconds=ttl_seconds))
    await connection.execute(
        refresh_tokens.insert().values(
            hash=secret_hash(token.token),
            family=family,
            user_id=user_id,
            organization_id=organization_id,
            created_at=now,
            expires_at=token.expires_at,
        )
    )
    return token


async def _revoke(connection: AsyncConnection, now: datetime, *conditions: ColumnElement[bool]) -> None:
    await connection.execute(
        update(refresh_tokens).where(*conditions, refresh_tokens.c.revoked_at.is_(None)).values(revoked_at=now)
    )
