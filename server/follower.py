"""Keeps the rooms of this process up with a journal that other nodes write too.

Rules
    1. What other nodes say is a hint. What is missing is read from the journal, and the journal is right.
    2. What comes out of order waits. Where something is missing for longer than a message is on its way, it is read.
    3. Every few seconds all rooms are held against the journal's heads, more often while the bus is away: so a message
       that is lost costs a moment, and Redis can be gone altogether.
    4. When a room that others have too comes to rest, its nodes tell each other what they show, as a digest of the
       document's canonical bytes. Where two differ at the same seq, both are read anew.
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from crdt.document import canonical_state
from crdt.errors import AwarenessError, CrdtError, EngineFailure
from crdt.update import read_update
from persistence.errors import StoreError
from server import telemetry
from server.arrivals import Elsewhere
from server.envelope import Envelope, Fingerprint, HeadMoved, PresenceNews, RelayedEvent
from server.errors import Overloaded
from server.life import Doubt, RoomState
from server.limits import HEAVY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from uuid import UUID

    from persistence.edits import JournalEntry
    from persistence.store import Store
    from server.envelope import NodeMessage
    from server.nodes import Nodes
    from server.room import Room
    from server.tasks import Tasks
    from server.workers import Workers

_log = telemetry.get_logger(__name__)

# An envelope is on its way for about a millisecond; in these it comes, or it is lost.
GAP_SECONDS: Final = 0.02
# How often all rooms are held against the journal: while others are heard, and while they are not.
HEADS_SECONDS: Final = 2.0
HEADS_SECONDS_WITHOUT_BUS: Final = 0.5
HEADS_ANSWER_SECONDS: Final = 5.0
# Reading and showing more than this takes longer than replaying it in a worker.
CATCH_UP_EDITS: Final = 5_000
# Read and shown in a few milliseconds, unless it is heavy.
_PIECE: Final = 100
# Nobody waits for a fingerprint.
_BACKGROUND_FACTOR: Final = 16
# Fingerprints of one look: what is left comes with the next.
_FINGERPRINTS_AT_ONCE: Final = 20


class Follower:
    """Hears what other nodes say of the rooms here.

    Arguments: `on_gone` is called with a prompt that was deleted without our hearing of it.
    """

    def __init__(
        self, store: Store, workers: Workers, tasks: Tasks, nodes: Nodes, *, on_gone: Callable[[UUID], None]
    ) -> None:
        self._store = store
        self._workers = workers
        self._tasks = tasks
        self._nodes = nodes
        self._on_gone = on_gone
        self._watched: set[Room] = set()
        self._bus_changed = asyncio.Event()
        self._shared: set[UUID] = set()
        self._seen: dict[UUID, int] = {}
        self._told: dict[UUID, int] = {}
        self._differed: dict[UUID, int] = {}

    # --- what is heard ------------------------------------------------------------------------------------------------

    def hear(self, room: Room, node_id: UUID, message: NodeMessage) -> None:
        """Takes what another node says of a room."""
        self._shared.add(room.prompt_id)
        match message:
            case Envelope(last_seq=last_seq):
                if last_seq > room.head_seq:
                    self._take(room, message)
            case HeadMoved(seq=seq):
                room.learn(seq)
            case Fingerprint():
                self._tasks.spawn(self._compare(room, message), name="compare_fingerprint")
            case PresenceNews(payload=payload):
                try:
                    room.presence.hear(node_id, payload)
                except AwarenessError as error:
                    _log.warning("presence_rejected", prompt_id=str(room.prompt_id), reason=str(error))
            case RelayedEvent(event=event):
                room.publish(event)
            case _:
                pass

    def _take(self, room: Room, envelope: Envelope) -> None:
        if envelope.epoch != room.epoch:
            room.doubt(Doubt.JOURNAL_MOVED)
            return
        try:
            summary = read_update(envelope.update)
        except CrdtError as error:
            _log.error("envelope_unreadable", prompt_id=str(room.prompt_id), reason=str(error))
            room.learn(envelope.last_seq)
            return
        bindings = dict(envelope.bindings)
        room.hear(Elsewhere(envelope.first_seq, envelope.last_seq, (envelope.update,), (summary,), bindings))

    def forget(self, prompt_id: UUID) -> None:
        """A prompt is not live here any more."""
        self._shared.discard(prompt_id)
        for seqs in (self._seen, self._told, self._differed):
            seqs.pop(prompt_id, None)

    # --- what is missing ----------------------------------------------------------------------------------------------

    def is_behind(self, room: Room) -> None:
        """Has what is missing read, unless it comes by itself. What a commit of our own brings comes by itself."""
        if room in self._watched or room.appender.awaits_answer:
            return
        self._watched.add(room)
        may_come = room.arrivals.gap_ends is not None and self._nodes.bus.is_up
        asyncio.get_running_loop().call_later(GAP_SECONDS if may_come else 0, self._look_again, room)

    def _look_again(self, room: Room) -> None:
        if room.is_behind and not room.appender.awaits_answer and room.state.has_memory:
            telemetry.CATCH_UPS.inc()
            # In this turn: what is flushed before the task begins could be among what it reads.
            room.appender.hold()
            self._tasks.spawn(self._catch_up(room), name="catch_up")
        else:
            self._watched.discard(room)

    async def _catch_up(self, room: Room) -> None:
        try:
            await self._read_missing(room)
        except StoreError as error:
            _log.warning("catch_up_failed", prompt_id=str(room.prompt_id), reason=str(error))
            room.doubt(Doubt.STORE)
        except (CrdtError, Overloaded) as error:
            _log.warning("catch_up_failed", prompt_id=str(room.prompt_id), reason=str(error))
            room.doubt(Doubt.JOURNAL_MOVED)
        finally:
            self._watched.discard(room)
            room.appender.release()
            room.advance()

    async def _read_missing(self, room: Room) -> None:
        head_seq, gap_ends = room.head_seq, room.arrivals.gap_ends
        limit = CATCH_UP_EDITS + 1 if gap_ends is None else min(gap_ends - head_seq - 1, CATCH_UP_EDITS + 1)
        entries = await self._store.journal.read(room.prompt_id, after=head_seq, limit=limit)
        if not entries or len(entries) > CATCH_UP_EDITS:
            room.doubt(Doubt.JOURNAL_MOVED)
            return
        for piece in _pieces(entries):
            room.hear(await self._read(piece))
            await asyncio.sleep(0)

    async def _read(self, entries: Sequence[JournalEntry]) -> Elsewhere:
        summaries = [await self._workers.run(len(entry.update), read_update, entry.update) for entry in entries]
        bindings = {
            client: entry.user_id
            for entry, summary in zip(entries, summaries, strict=True)
            for client, _, _ in summary.writes
        }
        updates = tuple(entry.update for entry in entries)
        return Elsewhere(entries[0].seq, entries[-1].seq, updates, tuple(summaries), bindings)

    # --- comparing ----------------------------------------------------------------------------------------------------

    def bus_changed(self) -> None:
        """The bus was lost or is back: something may have been missed."""
        self._bus_changed.set()

    async def follow(self, rooms: Callable[[], Collection[Room]]) -> None:
        """Holds all rooms against the journal when it is time, or something may have been missed."""
        seconds = HEADS_SECONDS if self._nodes.bus.is_up else HEADS_SECONDS_WITHOUT_BUS
        try:
            async with asyncio.timeout(seconds):
                await self._bus_changed.wait()
        except TimeoutError:
            pass
        self._bus_changed.clear()
        live = [room for room in rooms() if room.state is RoomState.LIVE]
        if live:
            await self.compare_heads(live)

    async def compare_heads(self, rooms: Sequence[Room]) -> None:
        """Has every room learn how far the journal reaches; those at rest tell each other what they show."""
        shown = [room.head_seq for room in rooms]
        try:
            async with asyncio.timeout(HEADS_ANSWER_SECONDS):
                heads = await self._store.journal.heads([room.prompt_id for room in rooms])
        except (StoreError, TimeoutError) as error:
            _log.warning("heads_unknown", reason=str(error) or "the database did not answer in time")
            return
        at_rest = []
        for room, shown_seq in zip(rooms, shown, strict=True):
            head = heads.get(room.prompt_id)
            if head is None:
                self._on_gone(room.prompt_id)
            elif head.epoch != room.epoch or head.seq < shown_seq:
                # Only another database can have less than was shown: a backup, or a standby that lagged behind.
                _log.error("journal_went_back", prompt_id=str(room.prompt_id), seq=head.seq, shown=shown_seq)
                room.doubt(Doubt.JOURNAL_MOVED)
            elif head.seq > room.head_seq:
                room.learn(head.seq)
            elif room.prompt_id in self._shared and self._has_come_to_rest(room):
                at_rest.append(room)
        for room in at_rest[:_FINGERPRINTS_AT_ONCE] if self._nodes.bus.is_up else ():
            await self._tell_fingerprint(room)

    def _has_come_to_rest(self, room: Room) -> bool:
        """Whether a room stands where it stood at the last look, and has not told the others what it shows there."""
        prompt_id, head_seq = room.prompt_id, room.head_seq
        before, self._seen[prompt_id] = self._seen.get(prompt_id), head_seq
        return before == head_seq and self._told.get(prompt_id) != head_seq

    async def _tell_fingerprint(self, room: Room) -> None:
        fingerprint = await self._fingerprint(room)
        if fingerprint is not None and room.prompt_id in self._shared:
            self._told[room.prompt_id] = fingerprint.seq
            self._nodes.tell(room.prompt_id, fingerprint)

    async def _fingerprint(self, room: Room) -> Fingerprint | None:
        if room.state is not RoomState.LIVE:
            return None
        try:
            seq, state = room.head_seq, room.document.encode_state()
            return Fingerprint(seq, await self._workers.run(_BACKGROUND_FACTOR * len(state), digest_of, state))
        except (EngineFailure, Overloaded):
            return None

    async def _compare(self, room: Room, heard: Fingerprint) -> None:
        # Read anew they are the same; where they are not, as between two versions, reading once more changes nothing.
        if room.head_seq != heard.seq or self._differed.get(room.prompt_id) == heard.seq:
            return
        ours = await self._fingerprint(room)
        if ours is None or ours.seq != heard.seq or ours.digest == heard.digest:
            return
        self._differed[room.prompt_id] = heard.seq
        telemetry.DIVERGENCES.inc()
        _log.error("document_diverged", prompt_id=str(room.prompt_id), seq=heard.seq)
        # The other one has to doubt, too: nobody can say from here which of the two is right.
        self._nodes.tell(room.prompt_id, ours)
        if room.head_seq == heard.seq:
            room.doubt(Doubt.DIVERGED)


def _pieces(entries: Sequence[JournalEntry]) -> Iterator[list[JournalEntry]]:
    """Splits what was read into what is shown in one go: not much, or one entry that is heavy by itself."""
    piece: list[JournalEntry] = []
    size = 0
    for entry in entries:
        if piece and (len(piece) >= _PIECE or size + len(entry.update) > HEAVY_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(entry)
        size += len(entry.update)
    if piece:
        yield piece


def digest_of(state: bytes) -> bytes:
    """Answers the digest of a document's canonical bytes. Raises EngineFailure."""
    return blake2b(canonical_state(state), digest_size=16).digest()
