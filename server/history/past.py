"""The past of a prompt: its text and who wrote it at any point of its journal, and when who worked on it.

Keyframes stand every so many rows of a journal, so that a point is worked out from the last one before it. They are
made in the background where a checkpoint is made, and on demand where somebody asks for a point that is far from any:
then once, and kept. What is stored of them is believed while its digest matches; otherwise it is made anew from the
keyframe before.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakValueDictionary

from crdt.attribution import Row
from crdt.errors import CrdtError
from persistence.errors import Conflict, KeyframeInvalid, StoreError
from persistence.keyframes import Keyframe, Stretch
from server.errors import Unavailable
from server.history.blame import strokes_of
from server.history.replaying import Base, counts_after, keyframe_after, spans_after, text_after
from server.history.sessions import decode_sessions, encode_sessions, sessions_of
from server.limits import HEAVY_BYTES, KIB
from server.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import TypeVar
    from uuid import UUID

    from crdt.spans import Spans
    from persistence.edits import JournalEntry
    from persistence.store import Store
    from server.history.sessions import Session
    from server.workers import Workers

    T = TypeVar("T")

_log = get_logger(__name__)

KEYFRAME_EVERY: Final = 1_000
# A row of 20 bytes costs what 8 KiB of a document cost: 30 µs.
_ROW_WEIGHT: Final = 8 * KIB
# What keyframes hold is compressed.
_COMPRESSED: Final = 3
_STRETCHES_AT_ONCE: Final = 64


class _Tail(NamedTuple):
    """A keyframe, if there is one, and what the journal holds behind it up to some point."""

    seq: int
    base: Base | None
    entries: Sequence[JournalEntry]

    @property
    def rows(self) -> list[Row]:
        """What is replayed."""
        strokes = strokes_of(self.entries)
        return [Row(entry.seq, entry.update, stroke) for entry, stroke in zip(self.entries, strokes, strict=True)]

    @property
    def weight(self) -> int:
        """About how many bytes a replay works on."""
        size = _COMPRESSED * sum(map(len, self.base or ()))
        return size + sum(_ROW_WEIGHT + len(entry.update) for entry in self.entries)


class Past:
    """Answers how prompts were. Points are seqs of the journal, from 1 to its head.

    Arguments: `workers` are its own, and closed with it; `every` so many rows there is a keyframe.
    """

    def __init__(self, store: Store, workers: Workers, *, every: int = KEYFRAME_EVERY) -> None:
        self._store = store
        self._every = every
        self._workers = workers
        # One makes keyframes of a prompt at a time; the others find them made.
        self._making: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def text(self, prompt_id: UUID, seq: int) -> str:
        """Answers the text at a point. Raises Unavailable and the store's errors."""
        return await self._work(prompt_id, await self._tail(prompt_id, seq), text_after)

    async def spans(self, prompt_id: UUID, seq: int) -> Spans:
        """Answers which row brought which part of the text at a point. Raises Unavailable and the store's errors."""
        return await self._work(prompt_id, await self._tail(prompt_id, seq), spans_after)

    async def sessions(self, prompt_id: UUID, *, until: int, limit: int) -> tuple[list[Session], int | None]:
        """Answers the last sessions up to a point, the newest first, and up to where to ask for more, if there is more.

        Raises Unavailable and the store's errors.
        """
        found: list[Session] = []
        async for session in self._backwards(prompt_id, until):
            joined = session.joined(found[-1]) if found else None
            if joined is not None:
                found[-1] = joined
            elif len(found) == limit:
                return found, session.to_seq
            else:
                found.append(session)
        return found, None

    def close(self) -> None:
        """Ends the process that works."""
        self._workers.close()

    async def keep_up(self, prompt_id: UUID, until: int) -> None:
        """Makes the keyframes that are due up to a point; nobody waits for it. What fails is tried another time."""
        try:
            await self._advance(prompt_id, until, in_background=True)
        except (StoreError, Unavailable) as error:
            _log.warning("keyframe_postponed", prompt_id=str(prompt_id), reason=str(error))

    # --- from keyframe to keyframe ------------------------------------------------------------------------------------

    async def _tail(self, prompt_id: UUID, seq: int) -> _Tail:
        keyframe = await self._nearest(prompt_id, seq)
        if seq - _seq_of(keyframe) >= self._every:
            keyframe = await self._advance(prompt_id, seq)
        return await self._behind(prompt_id, keyframe, seq)

    async def _advance(self, prompt_id: UUID, until: int, *, in_background: bool = False) -> Keyframe | None:
        """Makes the keyframes that are missing up to a point; answers the last one."""
        async with self._making.setdefault(prompt_id, asyncio.Lock()):
            keyframe = await self._nearest(prompt_id, until)
            while until - _seq_of(keyframe) >= self._every:
                try:
                    keyframe = await self._make(prompt_id, keyframe, in_background=in_background)
                except Conflict:
                    # The one before was forgotten meanwhile.
                    keyframe = await self._nearest(prompt_id, until)
            return keyframe

    async def _make(self, prompt_id: UUID, before: Keyframe | None, *, in_background: bool = False) -> Keyframe:
        """Makes the keyframe after another one."""
        since = _seq_of(before)
        seq = (since // self._every + 1) * self._every
        tail = await self._behind(prompt_id, before, seq)
        made = await self._work(prompt_id, tail, keyframe_after, in_background=in_background)
        if made.left_out:
            _log.error("rows_left_out", prompt_id=str(prompt_id), seqs=made.left_out[:10], count=len(made.left_out))
        keyframe = Keyframe(seq, *made.base)
        activity = encode_sessions(sessions_of(tail.entries, made.counts))
        await self._store.keyframes.save(prompt_id, keyframe, Stretch(since, seq, activity))
        return keyframe

    async def _nearest(self, prompt_id: UUID, seq: int) -> Keyframe | None:
        while True:
            try:
                return await self._store.keyframes.nearest(prompt_id, seq)
            except KeyframeInvalid as error:
                _log.error("keyframe_invalid", prompt_id=str(prompt_id), seq=error.seq)
                seq = error.seq - 1

    async def _behind(self, prompt_id: UUID, keyframe: Keyframe | None, until: int) -> _Tail:
        since = _seq_of(keyframe)
        kept_out = await self._store.quarantine.sequences(prompt_id)
        entries = await self._store.journal.read(prompt_id, after=since, limit=until - since) if until > since else []
        base = Base(keyframe.state, keyframe.spans) if keyframe is not None else None
        return _Tail(since, base, [entry for entry in entries if entry.seq <= until and entry.seq not in kept_out])

    async def _work(
        self,
        prompt_id: UUID,
        tail: _Tail,
        function: Callable[[Base | None, Sequence[Row]], T],
        *,
        in_background: bool = False,
    ) -> T:
        weight = tail.weight + (HEAVY_BYTES if in_background else 0)
        try:
            return await self._workers.run(weight, function, tail.base, tail.rows)
        except CrdtError as error:
            _log.error("past_unreadable", prompt_id=str(prompt_id), since=tail.seq, reason=str(error))
            message = "What is stored of this time cannot be read: see the server's log."
            raise Unavailable(message) from error

    # --- sessions -----------------------------------------------------------------------------------------------------

    async def _backwards(self, prompt_id: UUID, until: int) -> AsyncIterator[Session]:
        """Yields sessions, the newest first; one that a keyframe stands in comes in parts."""
        tail = await self._tail(prompt_id, until)
        counts = await self._work(prompt_id, tail, counts_after)
        for session in reversed(sessions_of(tail.entries, counts)):
            yield session
        since = tail.seq
        while since:
            for stretch in await self._stretches(prompt_id, since):
                if stretch.seq != since:
                    message = f"There is no keyframe at {since}: run `promptroom fsck`."
                    raise Unavailable(message)
                for session in reversed(decode_sessions(stretch.activity)):
                    yield session
                since = stretch.since

    async def _stretches(self, prompt_id: UUID, until: int) -> Sequence[Stretch]:
        while True:
            try:
                stretches = await self._store.keyframes.stretches(prompt_id, until=until, limit=_STRETCHES_AT_ONCE)
                if stretches:
                    return stretches
                await self._advance(prompt_id, until)
            except KeyframeInvalid as error:
                _log.error("keyframe_invalid", prompt_id=str(prompt_id), seq=error.seq)
                async with self._making.setdefault(prompt_id, asyncio.Lock()):
                    await self._make(prompt_id, await self._nearest(prompt_id, error.seq - 1))


def _seq_of(keyframe: Keyframe | None) -> int:
    return keyframe.seq if keyframe is not None else 0
