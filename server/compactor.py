"""Checkpoints: the journal's prefix as one state, so that opening a prompt does not replay its whole life.

A checkpoint is only written when the same state came out twice: from the live document, and from a replay of what is
stored. A live document that differs from its journal is a doubt, and the journal is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crdt.causality import Knowledge
from crdt.document import canonical_state
from crdt.errors import CrdtError
from crdt.knowledge_bytes import encode_knowledge
from crdt.update import read_update
from persistence.errors import StoreError
from server.errors import Overloaded
from server.rebuild import each_once, read_stored, replay
from server.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from persistence.store import Store
    from server.workers import Workers

_log = get_logger(__name__)

# Replaying this many edits takes a few milliseconds: fewer are not worth a checkpoint.
CHECKPOINT_EDITS: Final = 1_000
# A checkpoint costs as much as opening the prompt does, twice over, so a busy prompt is given one this often,
CHECKPOINT_SECONDS: Final = 30.0
# or as soon as opening it without one would keep people waiting: a tenth of a second.
CHECKPOINT_EDITS_AT_MOST: Final = 10_000
# When a room is unloaded a shorter tail is worth it: nobody waits for it, and the next one to open the prompt gains.
CHECKPOINT_EDITS_AT_UNLOAD: Final = 100

# Nobody waits for a checkpoint, so it leaves the event loop far sooner than what somebody waits for.
_BACKGROUND_FACTOR: Final = 16


def checkpoint_is_due(edits: int, seconds: float) -> bool:
    """Answers whether so many edits, so long after the last checkpoint, are worth one."""
    return edits >= CHECKPOINT_EDITS_AT_MOST or (edits >= CHECKPOINT_EDITS and seconds >= CHECKPOINT_SECONDS)


def verified_state(checkpoint: bytes | None, updates: Sequence[bytes], state: bytes) -> tuple[bytes, bytes] | None:
    """Answers the canonical bytes of a state, and what is known of it, if a replay comes to the same; else None.

    Runs in a worker when it is heavy.
    """
    try:
        canonical = canonical_state(state)
        if canonical_state(replay(checkpoint, each_once(checkpoint, updates))) != canonical:
            return None
        return canonical, encode_knowledge(Knowledge.of(read_update(canonical)))
    except CrdtError:
        return None


class Compactor:
    """Writes checkpoints."""

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store = store
        self._workers = workers

    async def checkpoint(self, prompt_id: UUID, *, seq: int, state: bytes, known_seq: int = 0) -> int | None:
        """Stores the state of a prompt at a seq; answers None where a replay of the journal comes to another one.

        Otherwise answers the seq of the newest checkpoint. Where that is beyond the one known, another node has made
        it, and one is enough for all. A store that is away is no failure: the next checkpoint is as good.
        """
        try:
            newest_seq = await self._store.checkpoints.newest_seq(prompt_id)
            if newest_seq > known_seq:
                return newest_seq
            stored = await read_stored(self._store, prompt_id, until=seq)
            weight = _BACKGROUND_FACTOR * (stored.weight + len(state))
            verified = await self._workers.run(weight, verified_state, stored.checkpoint, stored.updates, state)
            if verified is None:
                _log.error("checkpoint_differs", prompt_id=str(prompt_id), seq=seq)
                return None
            await self._store.checkpoints.save(prompt_id, seq, *verified)
        except (StoreError, Overloaded) as error:
            _log.warning("checkpoint_postponed", prompt_id=str(prompt_id), seq=seq, reason=str(error))
        return seq
