"""Bytes that the engine or the strict reader refused, kept for somebody to look at.

A quarantined journal row stays in the journal, and every replay leaves it out: its seq stands here. Such a row is
never forgotten. Bytes that were refused before they were stored are only evidence, and the oldest make room.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from persistence.engine import Clock, Database
from persistence.records import columns_of
from persistence.tables import quarantine

# Somebody who sends such bytes on purpose must not fill the disk with them.
KEPT_PER_PROMPT = 20
MAX_PAYLOAD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One input that was refused.

    Args:
        id: the key.
        seq: the journal row that holds it; None if it was never stored.
        user_id: who sent it, if known.
        reason: what happened.
        payload: the bytes, at most 1 MiB of them.
        created_at: when.
    """

    id: UUID
    seq: int | None
    user_id: UUID | None
    reason: str
    payload: bytes
    created_at: datetime


_COLUMNS = columns_of(quarantine, Quarantined)


class Quarantine:
    """Keeps what was refused.

    Args:
        database: where it is.
        clock: the time written to it.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self, prompt_id: UUID, *, update: bytes, reason: str, user_id: UUID | None = None, seq: int | None = None
    ) -> None:
        """Keep the bytes; a journal row that is here already stays as it is.

        Args:
            prompt_id: where they were sent.
            update: the bytes.
            reason: what happened.
            user_id: who sent them.
            seq: the journal row that holds them; None if they were never stored.

        Raises:
            Conflict: there is no such prompt or user.
        """
        evidence = (quarantine.c.prompt_id == prompt_id, quarantine.c.seq.is_(None))
        kept = (
            select(quarantine.c.id)
            .where(*evidence)
            .order_by(quarantine.c.created_at.desc(), quarantine.c.id)
            .limit(KEPT_PER_PROMPT)
        )
        row = {"prompt_id": prompt_id, "seq": seq, "user_id": user_id, "reason": reason}
        async with self._database.write() as connection:
            if seq is not None and await connection.scalar(
                select(quarantine.c.id).where(quarantine.c.prompt_id == prompt_id, quarantine.c.seq == seq)
            ):
                return
            payload = update[:MAX_PAYLOAD_BYTES]
            await connection.execute(
                quarantine.insert().values(id=uuid.uuid4(), payload=payload, created_at=self._clock(), **row)
            )
            newest = list(await connection.scalars(kept))
            await connection.execute(delete(quarantine).where(*evidence, quarantine.c.id.not_in(newest)))

    async def sequences(self, prompt_id: UUID) -> frozenset[int]:
        """Return the seqs of the journal rows that a replay leaves out."""
        statement = select(quarantine.c.seq).where(quarantine.c.prompt_id == prompt_id, quarantine.c.seq.is_not(None))
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(statement))

    async def list(self, prompt_id: UUID) -> list[Quarantined]:
        """Return what is kept of a prompt, the newest first."""
        statement = (
            select(*_COLUMNS)
            .where(quarantine.c.prompt_id == prompt_id)
            .order_by(quarantine.c.created_at.desc(), quarantine.c.id)
        )
        async with self._database.read() as connection:
            return [Quarantined(*row) for row in await connection.execute(statement)]
