"""A prompt's document, rebuilt from what is stored.

The journal in order is always safe to replay (seen means stored), so a rebuild is the answer to every doubt. A stored
update that the reader or the engine does not take is left out and quarantined with everything that builds on it; the
rest of the prompt stays usable. What two nodes have stored of one client, because it went from a node that was dying to
another, counts once, as it was stored first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crdt.causality import Knowledge
from crdt.document import Document, beyond
from crdt.errors import CrdtError, EngineFailure
from crdt.update import read_update
from persistence.errors import CheckpointInvalid, NotFound
from server.errors import PromptNotFound
from server.opening import open_checkpoint
from server.telemetry import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from persistence.checkpoints import Checkpoint
    from persistence.edits import JournalEntry
    from persistence.store import Store
    from server.workers import Workers

_log = get_logger(__name__)

# Applied in one transaction: larger pieces save nothing, smaller ones cost a merge each.
_PIECE: Final = 500


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a replay came to.

    `state` is the encoded document, `knowledge` what it holds, `rejected` the updates left out as (index, reason).
    """

    state: bytes
    knowledge: Knowledge
    rejected: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """All that a room starts from."""

    prompt_id: UUID
    epoch: int
    head_seq: int
    checkpoint_seq: int
    document: Document
    knowledge: Knowledge
    bindings: dict[int, UUID]


def rebuild(checkpoint: bytes | None, updates: Sequence[bytes]) -> Rebuilt:
    """Replays updates in journal order on top of a checkpoint. Pure; runs in a worker when it is heavy.

    Raises CrdtError where the checkpoint itself is not readable.
    """
    knowledge = Knowledge.of(read_update(checkpoint)) if checkpoint is not None else Knowledge()
    rejected: list[tuple[int, str]] = []
    ready: list[tuple[int, bytes]] = []
    for index, update in enumerate(updates):
        try:
            summary = read_update(update)
            if not knowledge.is_ready(summary):
                rejected.append((index, "depends_on_missing"))
                continue
            knowledge.check(summary)
            fresh = beyond(update, knowledge.state) if knowledge.repeats(summary) else update
        except CrdtError as error:
            rejected.append((index, error.code))
            continue
        knowledge.add(summary)
        ready.append((index, fresh))
    try:
        return Rebuilt(replay(checkpoint, [update for _, update in ready]), knowledge, tuple(rejected))
    except EngineFailure:
        if not ready:
            raise
        culprit = _first_failure(checkpoint, [update for _, update in ready])
        return _without(checkpoint, updates, ready[culprit][0])


def replay(checkpoint: bytes | None, updates: Sequence[bytes]) -> bytes:
    """Answers the encoded document that updates lead to which have all been judged, each struct in it once.

    Raises EngineFailure.
    """
    document = Document(checkpoint)
    for start in range(0, len(updates), _PIECE):
        document.apply(updates[start : start + _PIECE])
    # Reading is where a poisoned document panics; better here than in front of people.
    _ = document.text
    return document.encode_state()


def each_once(checkpoint: bytes | None, updates: Sequence[bytes]) -> list[bytes]:
    """Answers the updates without what is repeated in them of the checkpoint or of each other.

    Raises UpdateError and EngineFailure.
    """
    state = Document(checkpoint).state_vector()
    fresh = []
    for update in updates:
        writes = read_update(update).writes
        repeats = any(start < state.get(client, 0) for client, start, _ in writes)
        fresh.append(beyond(update, state) if repeats else update)
        state.update({client: max(end, state.get(client, 0)) for client, _, end in writes})
    return fresh


def _first_failure(checkpoint: bytes | None, updates: Sequence[bytes]) -> int:
    """Answers the length of the longest prefix that replays, by bisection."""
    sound, broken = 0, len(updates)
    while broken - sound > 1:
        middle = (sound + broken) // 2
        try:
            replay(checkpoint, updates[:middle])
        except EngineFailure:
            broken = middle
        else:
            sound = middle
    return sound


def _without(checkpoint: bytes | None, updates: Sequence[bytes], culprit: int) -> Rebuilt:
    rest = rebuild(checkpoint, [*updates[:culprit], *updates[culprit + 1 :]])
    shifted = [(index + (index >= culprit), reason) for index, reason in rest.rejected]
    return Rebuilt(rest.state, rest.knowledge, tuple(sorted([*shifted, (culprit, "engine_failed")])))


@dataclass(frozen=True, slots=True)
class Stored:
    """What a replay of one prompt needs: a checkpoint, if there is a sound one, and the journal behind it."""

    checkpoint_seq: int
    checkpoint: bytes | None
    knowledge: bytes | None
    entries: tuple[JournalEntry, ...]
    head_seq: int

    @property
    def updates(self) -> list[bytes]:
        """The updates to apply on top of the checkpoint, in order."""
        return [entry.update for entry in self.entries]

    @property
    def weight(self) -> int:
        """About how many bytes a replay works on."""
        return sum(len(entry.update) for entry in self.entries) + len(self.checkpoint or b"")


async def read_stored(
    store: Store, prompt_id: UUID, *, until: int | None = None, with_checkpoint: bool = True
) -> Stored:
    """Reads what a replay up to a seq needs, without what is in quarantine. Raises the store's errors."""
    found = await _latest_checkpoint(store, prompt_id, until) if with_checkpoint else None
    checkpoint_seq = found.seq if found is not None else 0
    quarantined = await store.quarantine.sequences(prompt_id)
    limit = None if until is None else max(0, until - checkpoint_seq)
    entries = await store.journal.read(prompt_id, after=checkpoint_seq, limit=limit)
    return Stored(
        checkpoint_seq=checkpoint_seq,
        checkpoint=found.state if found is not None else None,
        knowledge=found.knowledge if found is not None else None,
        entries=tuple(entry for entry in entries if entry.seq not in quarantined),
        head_seq=entries[-1].seq if entries else checkpoint_seq,
    )


async def load_prompt(store: Store, workers: Workers, prompt_id: UUID, *, at_once: bool = False) -> StoredPrompt:
    """Reads and rebuilds one prompt; has the engine read it `at_once` where there is doubt in what was read before.

    Raises PromptNotFound, and the store's own errors (StoreUnavailable: try again later).
    """
    try:
        prompt = await store.prompts.get(prompt_id)
    except NotFound as error:
        raise PromptNotFound from error
    stored = await read_stored(store, prompt_id)
    opened = await _open(stored, at_once=at_once)
    if opened is None:
        stored, opened = await _replay_all(store, workers, prompt_id, stored)
    document, knowledge = opened
    return StoredPrompt(
        prompt_id=prompt_id,
        epoch=prompt.epoch,
        head_seq=stored.head_seq,
        checkpoint_seq=stored.checkpoint_seq,
        document=document,
        knowledge=knowledge,
        bindings=await store.journal.bindings(prompt_id),
    )


async def _open(stored: Stored, *, at_once: bool) -> tuple[Document, Knowledge] | None:
    if stored.checkpoint is None:
        return None
    return await open_checkpoint(stored.checkpoint, stored.knowledge, stored.updates, at_once=at_once)


async def _replay_all(
    store: Store, workers: Workers, prompt_id: UUID, stored: Stored
) -> tuple[Stored, tuple[Document, Knowledge]]:
    """Reads everything anew, and puts into quarantine what cannot be taken."""
    try:
        rebuilt = await workers.run(stored.weight, rebuild, stored.checkpoint, stored.updates)
    except CrdtError as error:
        _log.error("checkpoint_unreadable", prompt_id=str(prompt_id), seq=stored.checkpoint_seq, reason=str(error))
        stored = await read_stored(store, prompt_id, with_checkpoint=False)
        rebuilt = await workers.run(stored.weight, rebuild, None, stored.updates)
    for index, reason in rebuilt.rejected:
        await _put_into_quarantine(store, prompt_id, stored.entries[index], reason)
    return stored, (Document(rebuilt.state), rebuilt.knowledge)


async def _latest_checkpoint(store: Store, prompt_id: UUID, until: int | None) -> Checkpoint | None:
    try:
        checkpoint = await store.checkpoints.latest(prompt_id)
        if checkpoint is not None and (until is None or checkpoint.seq <= until):
            return checkpoint
    except CheckpointInvalid as error:
        # The journal is complete without it: slower, and never wrong.
        _log.error("checkpoint_invalid", prompt_id=str(prompt_id), reason=str(error))
    return None


async def _put_into_quarantine(store: Store, prompt_id: UUID, entry: JournalEntry, reason: str) -> None:
    _log.error("update_quarantined", prompt_id=str(prompt_id), seq=entry.seq, reason=reason)
    await store.quarantine.add(prompt_id, update=entry.update, reason=reason, user_id=entry.user_id, seq=entry.seq)
    await store.keyframes.forget_from(prompt_id, entry.seq)
