"""Idempotency keys: a request that is sent twice is answered twice and carried out once.

``claim`` before the work, ``store`` after it, ``release`` if it failed. The key belongs to its user.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from persistence.engine import Clock, Database
from persistence.errors import Conflict, KeyInProgress, KeyReused
from persistence.tables import idempotency_keys

# A client that retries has given up long before a day has passed.
ANSWER_KEPT = timedelta(days=1)
# A claim without an answer for so long belongs to a process that died.
CLAIM_KEPT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that the first request got.

    Args:
        status: the HTTP status.
        headers: the headers worth repeating.
        body: the bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Idempotency:
    """Remembers which requests were carried out, and what they were answered.

    Args:
        database: where that is written.
        clock: what it expires by.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, user_id: UUID, key: str, fingerprint: bytes) -> StoredAnswer | None:
        """Return the stored answer, or None if the caller is the first and now carries the request out.

        Args:
            user_id: who sent the request.
            key: the header's value.
            fingerprint: a SHA-256 of the request, 32 bytes.

        Raises:
            KeyInProgress: the first request is still being answered.
            KeyReused: the key was used with another request.
        """
        try:
            return await self._claim(user_id, key, fingerprint)
        except (KeyInProgress, KeyReused):
            raise
        except Conflict:
            # Somebody else inserted the key between our looking for it and our inserting it; now it is there.
            return await self._claim(user_id, key, fingerprint)

    async def _claim(self, user_id: UUID, key: str, fingerprint: bytes) -> StoredAnswer | None:
        now = self._clock()
        table = idempotency_keys.c
        of_key = (table.user_id == user_id, table.key == key)
        async with self._database.write() as connection:
            abandoned = table.status.is_(None) & (table.created_at < now - CLAIM_KEPT)
            await connection.execute(delete(idempotency_keys).where(or_(table.expires_at < now, abandoned)))
            known = (await connection.execute(select(idempotency_keys).where(*of_key))).first()
            if known is None:
                claimed = {"user_id": user_id, "key": key, "fingerprint": fingerprint}
                await connection.execute(
                    idempotency_keys.insert().values(**claimed, created_at=now, expires_at=now + ANSWER_KEPT)
                )
                return None
        if known.fingerprint != fingerprint:
            raise KeyReused("the idempotency key was used with another request")
        if known.status is None:
            raise KeyInProgress("the first request with this idempotency key is still being answered")
        return StoredAnswer(known.status, known.headers or {}, known.body or b"")

    async def store(self, user_id: UUID, key: str, answer: StoredAnswer) -> None:
        """Keep the answer for those who ask again."""
        statement = (
            update(idempotency_keys)
            .where(idempotency_keys.c.user_id == user_id, idempotency_keys.c.key == key)
            .values(status=answer.status, headers=answer.headers, body=answer.body)
        )
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def release(self, user_id: UUID, key: str) -> None:
        """Give a claim back, so that the request can be sent again; a stored answer stays."""
        table = idempotency_keys.c
        async with self._database.write() as connection:
            await connection.execute(
                delete(idempotency_keys).where(table.user_id == user_id, table.key == key, table.status.is_(None))
            )
