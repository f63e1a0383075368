"""Checkpoints: the state of a prompt after a prefix of its journal, so that a room need not replay all of it.

The journal stays whole; a checkpoint only saves time and may be discarded at any moment. Its digest covers the
prompt and the position too, so that bytes which ended up in another row are not taken for its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from persistence.engine import Clock, Database
from persistence.errors import CheckpointInvalid, Conflict, NotFound
from persistence.tables import checkpoints, prompts

# The newest, and one to fall back to when that turns out to be damaged.
KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A stored state.

    Args:
        seq: the last journal entry it contains.
        state: the bytes of the document.
        created_at: when it was written.
        knowledge: what was known of the state then and would take time to find out again; None where nothing was kept.
    """

    seq: int
    state: bytes
    created_at: datetime
    knowledge: bytes | None = None


def checkpoint_digest(prompt_id: UUID, seq: int, state: bytes, knowledge: bytes | None) -> bytes:
    """Return the SHA-256 that stands beside a checkpoint."""
    digest = hashlib.sha256(prompt_id.bytes)
    digest.update(seq.to_bytes(8, "big"))
    digest.update(state)
    if knowledge is not None:
        digest.update(hashlib.sha256(knowledge).digest())
    return digest.digest()


class Checkpoints:
    """Reads and writes checkpoints.

    Args:
        database: where they are.
        clock: the time written to them.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def latest(self, prompt_id: UUID) -> Checkpoint | None:
        """Return the newest checkpoint, or None if the journal has to be replayed from its beginning.

        Raises:
            CheckpointInvalid: its bytes are damaged; ``discard`` it and ask again.
        """
        columns = checkpoints.c
        statement = (
            select(columns.seq, columns.state, columns.digest, columns.created_at, columns.knowledge)
            .where(checkpoints.c.prompt_id == prompt_id)
            .order_by(checkpoints.c.seq.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            return None
        if checkpoint_digest(prompt_id, row.seq, row.state, row.knowledge) != row.digest:
            raise CheckpointInvalid(prompt_id, row.seq)
        return Checkpoint(row.seq, row.state, row.created_at, row.knowledge)

    async def newest_seq(self, prompt_id: UUID) -> int:
        """Return the position of the newest checkpoint, damaged or not; 0 where there is none."""
        statement = select(func.max(checkpoints.c.seq)).where(checkpoints.c.prompt_id == prompt_id)
        async with self._database.read() as connection:
            return int(await connection.scalar(statement) or 0)

    async def save(self, prompt_id: UUID, seq: int, state: bytes, knowledge: bytes | None = None) -> None:
        """Store the state after journal entry ``seq``, with what is known of it, and forget all but the newest two.

        Saving the same position again replaces it.

        Raises:
            NotFound: there is no such prompt.
            Conflict: the journal does not reach that far.
        """
        of_prompt = checkpoints.c.prompt_id == prompt_id
        async with self._database.write() as connection:
            # The lock keeps two servers from thinning at once.
            head = await connection.scalar(
                select(prompts.c.head_seq).where(prompts.c.id == prompt_id).with_for_update()
            )
            if head is None:
                raise NotFound(f"no prompt {prompt_id}")
            if not 1 <= seq <= head:
                raise Conflict(f"a checkpoint at seq {seq} is outside the journal of prompt {prompt_id} (1 to {head})")
            await connection.execute(delete(checkpoints).where(of_prompt, checkpoints.c.seq == seq))
            digest = checkpoint_digest(prompt_id, seq, state, knowledge)
            row = {"prompt_id": prompt_id, "seq": seq, "state": state, "digest": digest, "knowledge": knowledge}
            await connection.execute(checkpoints.insert().values(**row, created_at=self._clock()))
            kept = await connection.scalars(
                select(checkpoints.c.seq).where(of_prompt).order_by(checkpoints.c.seq.desc()).limit(KEPT)
            )
            await connection.execute(delete(checkpoints).where(of_prompt, checkpoints.c.seq < min(kept)))

    async def discard(self, prompt_id: UUID, seq: int) -> None:
        """Delete one checkpoint, so that the one before it, or the journal, is used."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(checkpoints).where(checkpoints.c.prompt_id == prompt_id, checkpoints.c.seq == seq)
            )
