"""Keyframes: the state of a prompt every so many rows of its journal, so that any point of it is near.

A keyframe is kept for good; everything in it can be worked out again from the journal, which is complete without it.
Its digests cover the prompt and the position too, so that bytes which ended up in another row are not taken for its
own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select

from persistence.engine import Clock, Database
from persistence.errors import Conflict, KeyframeInvalid, NotFound
from persistence.tables import keyframes, prompts


@dataclass(frozen=True, slots=True)
class Keyframe:
    """How a prompt stood.

    Args:
        seq: the last journal entry that it contains.
        state: the bytes of the document.
        spans: who wrote what of its text.
    """

    seq: int
    state: bytes
    spans: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened between two keyframes.

    Args:
        since: the journal entry before the first of it; where that is not 0, there is a keyframe at it.
        seq: the last journal entry of it, which is where the keyframe is.
        activity: what happened.
    """

    since: int
    seq: int
    activity: bytes


def keyframe_digest(prompt_id: UUID, seq: int, state: bytes, spans: bytes) -> bytes:
    """Return the SHA-256 that stands beside a keyframe."""
    return _digest(prompt_id, seq, state, spans)


def activity_digest(prompt_id: UUID, since: int, seq: int, activity: bytes) -> bytes:
    """Return the SHA-256 that stands beside the activity before a keyframe."""
    return _digest(prompt_id, seq, since.to_bytes(8, "big"), activity)


class Keyframes:
    """Reads and writes keyframes.

    Args:
        database: where they are.
        clock: the time written to them.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def nearest(self, prompt_id: UUID, seq: int) -> Keyframe | None:
        """Return the last keyframe that is not behind a position, or None if there is none.

        Raises:
            KeyframeInvalid: its bytes are damaged; ask for one before it.
        """
        columns = keyframes.c
        statement = (
            select(columns.seq, columns.state, columns.spans, columns.digest)
            .where(columns.prompt_id == prompt_id, columns.seq <= seq)
            .order_by(columns.seq.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            return None
        if keyframe_digest(prompt_id, row.seq, row.state, row.spans) != row.digest:
            raise KeyframeInvalid(prompt_id, row.seq)
        return Keyframe(row.seq, row.state, row.spans)

    async def newest_seq(self, prompt_id: UUID, *, until: int) -> int:
        """Return the position of the last keyframe that is not behind another one, damaged or not; 0 for none."""
        of_prompt = (keyframes.c.prompt_id == prompt_id, keyframes.c.seq <= until)
        async with self._database.read() as connection:
            return int(await connection.scalar(select(func.max(keyframes.c.seq)).where(*of_prompt)) or 0)

    async def seqs(self, prompt_id: UUID) -> list[int]:
        """Return the positions of all keyframes, in order."""
        statement = select(keyframes.c.seq).where(keyframes.c.prompt_id == prompt_id).order_by(keyframes.c.seq)
        async with self._database.read() as connection:
            return list(await connection.scalars(statement))

    async def stretches(self, prompt_id: UUID, *, until: int, limit: int) -> Sequence[Stretch]:
        """Return what happened before the last keyframes up to a position, the newest first.

        Raises:
            KeyframeInvalid: bytes of one are damaged; the keyframe has to be made anew.
        """
        columns = keyframes.c
        statement = (
            select(columns.since, columns.seq, columns.activity, columns.activity_digest)
            .where(columns.prompt_id == prompt_id, columns.seq <= until)
            .order_by(columns.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_stretch(prompt_id, row) for row in await connection.execute(statement)]

    async def save(self, prompt_id: UUID, keyframe: Keyframe, stretch: Stretch) -> None:
        """Store a keyframe; one at the same position is replaced.

        Raises:
            NotFound: there is no such prompt.
            Conflict: the journal does not reach that far, or the keyframe before has been forgotten meanwhile.
        """
        seq, since = keyframe.seq, stretch.since
        row = {
            "prompt_id": prompt_id,
            "seq": seq,
            "since": since,
            "state": keyframe.state,
            "spans": keyframe.spans,
            "digest": keyframe_digest(prompt_id, seq, keyframe.state, keyframe.spans),
            "activity": stretch.activity,
            "activity_digest": activity_digest(prompt_id, since, seq, stretch.activity),
        }
        async with self._database.write() as connection:
            # The lock keeps two servers from writing the same one at once.
            head = await connection.scalar(
                select(prompts.c.head_seq).where(prompts.c.id == prompt_id).with_for_update()
            )
            if head is None:
                raise NotFound(f"no prompt {prompt_id}")
            if not 1 <= seq <= head:
                raise Conflict(f"a keyframe at seq {seq} is outside the journal of prompt {prompt_id} (1 to {head})")
            before = select(keyframes.c.seq).where(keyframes.c.prompt_id == prompt_id, keyframes.c.seq == since)
            if since and await connection.scalar(before) is None:
                raise Conflict(f"prompt {prompt_id} has no keyframe at seq {since} any more")
            await connection.execute(
                delete(keyframes).where(keyframes.c.prompt_id == prompt_id, keyframes.c.seq == seq)
            )
            await connection.execute(keyframes.insert().values(**row, created_at=self._clock()))

    async def forget_from(self, prompt_id: UUID, seq: int) -> None:
        """Delete the keyframes from a position on: an entry there is left out from now on."""
        async with self._database.write() as connection:
            # One that is being saved is waited for: it would be seen by nobody here, and stay.
            await connection.execute(select(prompts.c.id).where(prompts.c.id == prompt_id).with_for_update())
            await connection.execute(
                delete(keyframes).where(keyframes.c.prompt_id == prompt_id, keyframes.c.seq >= seq)
            )


def _stretch(prompt_id: UUID, row: Row[*tuple[Any, ...]]) -> Stretch:
    if activity_digest(prompt_id, row.since, row.seq, row.activity) != row.activity_digest:
        raise KeyframeInvalid(prompt_id, row.seq)
    return Stretch(row.since, row.seq, row.activity)


def _digest(prompt_id: UUID, seq: int, *parts: bytes) -> bytes:
    digest = hashlib.sha256(prompt_id.bytes)
    digest.update(seq.to_bytes(8, "big"))
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.digest()
