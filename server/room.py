"""A prompt that is live in this process: its document, its members, and the one writer of its journal.

Updates are admitted, committed, shown and acknowledged, in this order and never otherwise. While a commit is in flight
new updates wait in the inbox. Its life stands in `server.life`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crdt.document import EMPTY_STATE_VECTOR
from crdt.errors import EngineFailure
from crdt.messages import SyncStep2, Update
from persistence.edits import Edit
from persistence.errors import NotFound
from server import telemetry
from server.admission import Admission, Verdict
from server.audience import Audience
from server.errors import PromptNotFound, ServerError
from server.inbox import Batch, Inbox
from server.life import Doubt, RoomState
from server.membership import Member, Submission
from server.outbox import Frame
from server.pace import Pace
from server.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from crdt.document import Document
    from persistence.store import Store
    from server.rebuild import StoredPrompt

_log = telemetry.get_logger(__name__)


class Room:
    """One prompt, live.

    Arguments: `stored` is the prompt as it was rebuilt from the store; `on_doubt` is called when it has to be rebuilt
    again, and whoever answers calls `resume` or `close`; `on_commit` is called after every commit.
    """

    def __init__(
        self,
        stored: StoredPrompt,
        store: Store,
        *,
        clock: Callable[[], float],
        on_doubt: Callable[[Room], None],
        on_commit: Callable[[Room], None],
    ) -> None:
        self.prompt_id: UUID = stored.prompt_id
        self.members: dict[Member, None] = {}
        self.audience = Audience(self.members)
        self.state = RoomState.LOADING
        self.pins = 0
        self.idle_since: float | None = None
        self._store = store
        self._clock = clock
        self._on_doubt = on_doubt
        self._on_commit = on_commit
        self._loop = asyncio.get_running_loop()
        self._in_flight: Batch | None = None
        self._settled: asyncio.Future[None] | None = None
        self._pace = Pace(self._loop, self._flush)
        self.failed_commits = 0
        self._doubted = Doubt.STORE
        self._shown = EMPTY_STATE_VECTOR
        self.presence = Presence(
            self._loop, clock=clock, broadcast=self.broadcast, bindings=lambda: self._gate.bindings
        )
        self._start(stored)

    def _start(self, stored: StoredPrompt) -> None:
        self.epoch = stored.epoch
        self.head_seq = stored.head_seq
        self.checkpoint_seq = stored.checkpoint_seq
        self.checkpointed_at = self._clock()
        self.document: Document = stored.document
        self._inbox = Inbox()
        self._gate = Admission(
            stored.knowledge, stored.bindings, measure=self._size_to_be, announced_by=self.presence.user_of
        )
        self._whole: Frame | None = None
        self.state = RoomState.LIVE

    def _size_to_be(self) -> int:
        """Answers the bytes of the document with all that was admitted, on the way to the journal or not; or more."""
        on_the_way = self._in_flight.size if self._in_flight is not None else 0
        return len(self.document.encode_state()) + on_the_way + self._inbox.size

    # --- members ----------------------------------------------------------------------------------------------------

    def join(self, member: Member) -> None:
        """Takes a member into a live room."""
        self.members[member] = None
        self.audience.changed()
        self.idle_since = None
        member.joined(self, {"epoch": self.epoch, "prompt_id": str(self.prompt_id), "head_seq": self.head_seq})

    def leave(self, member: Member) -> None:
        """Lets a member go whose connection is closed; what it handed in still counts."""
        if member in self.members:
            del self.members[member]
            self.audience.changed()
            self.presence.leave(member)
            if not self.members:
                self.idle_since = self._clock()

    def broadcast(self, frame: Frame) -> int:
        """Sends a frame to every member that keeps up; answers to how many."""
        return self.audience.write(frame, self._clock())

    def publish(self, event: dict[str, object]) -> None:
        """Sends a room event to everybody."""
        for member in list(self.members):
            member.send_event(event)

    # --- what was shown ---------------------------------------------------------------------------------------------

    def state_vector(self) -> bytes:
        """Answers the encoded state vector of all that was shown."""
        return self._shown if self.state is RoomState.LOADING else self.document.encode_state_vector()

    def diff(self, state_vector: bytes) -> Frame | None:
        """Answers a step 2 with everything beyond a state vector; the whole document is encoded once for all.

        None while a document that the engine did not survive is rebuilt: everybody is sent all of it then.

        Raises StateVectorError where nobody can have this state vector, and EngineFailure where the engine did not
        survive the question; the room recovers by itself.
        """
        is_for_newcomer = state_vector == EMPTY_STATE_VECTOR
        if is_for_newcomer and self._whole is not None:
            return self._whole
        self._gate.check_state_vector(state_vector)
        if self.state is RoomState.LOADING and self.document.condemned:
            return None
        try:
            frame = Frame.of(SyncStep2(self.document.encode_diff(state_vector)))
        except EngineFailure:
            self.doubt(Doubt.ENGINE)
            raise
        self._whole = frame if is_for_newcomer else self._whole
        return frame

    # --- submit → append → apply → fan out → acknowledge --------------------------------------------------------------

    def submit(self, submission: Submission) -> None:
        """Takes an update.

        Its author hears `committed`, `refused` or, when the room lost its memory first, `dropped`. Raises ServerError.
        """
        if self.state is not RoomState.LIVE:
            submission.author.dropped()
            return
        verdict, admitted = self._gate.admit(submission)
        if verdict is Verdict.HELD_BACK:
            telemetry.HELD_BACK.inc()
            submission.author.held_back()
            return
        if verdict is Verdict.KNOWN:
            self._inbox.add_repeated(submission)
        self._inbox.add(admitted)
        if self._inbox.is_full:
            self.doubt(Doubt.STORE)
        elif self._in_flight is None:
            self._pace.ask(self._inbox.messages, len(self.members))

    def _flush(self) -> None:
        """Takes everything that waits, and hands it to the journal in one piece."""
        if self._in_flight is not None or not self._inbox:
            return
        batch = self._inbox.take()
        if batch.updates:
            self._in_flight = batch
            self._append(batch)
        else:
            self._acknowledge(batch)
            self._tell_settled()

    def _append(self, batch: Batch) -> None:
        edits = [Edit(each.update, each.author.user_id, each.kind) for each in batch.updates]
        appended = self._store.journal.append(self.prompt_id, edits, self._gate.take_new_bindings())
        flushed_at = self._clock()
        appended.add_done_callback(lambda future: self._appended(batch, future, flushed_at))

    def _appended(self, batch: Batch, appended: asyncio.Future[int], flushed_at: float) -> None:
        failure = None if appended.cancelled() else appended.exception()
        if batch is not self._in_flight:
            return  # the room was rebuilt meanwhile; the journal has told it already what became of this batch
        if isinstance(failure, NotFound):
            self.doubt(Doubt.JOURNAL_MOVED)  # the prompt was deleted; who rebuilds the room finds that out and ends it
        elif appended.cancelled() or failure is not None:
            telemetry.STORE_FAILURES.inc()
            self.failed_commits += 1
            _log.warning("commit_failed", prompt_id=str(self.prompt_id), reason=str(failure))
            self.doubt(Doubt.STORE)
        else:
            telemetry.COMMIT_SECONDS.observe(self._clock() - flushed_at)
            telemetry.FLUSH_EDITS.observe(len(batch.updates))
            self._committed(batch, appended.result())

    def _committed(self, batch: Batch, last_seq: int) -> None:
        if last_seq - len(batch.updates) != self.head_seq:
            self.doubt(Doubt.JOURNAL_MOVED)
            return
        try:
            merged = self._apply(batch)
        except EngineFailure:
            telemetry.ENGINE_FAILURES.inc()
            self.doubt(Doubt.ENGINE)
            return
        self._in_flight = None
        self.failed_commits = 0
        self.head_seq = last_seq
        self._fan_out(batch, merged)
        self._acknowledge(batch)
        if self._inbox:
            self._pace.ask(self._inbox.messages, len(self.members))
        else:
            self._tell_settled()
        self._on_commit(self)

    def _apply(self, batch: Batch) -> bytes:
        merged = self.document.apply([each.update for each in batch.updates])
        self._whole = None
        telemetry.UPDATES_RECEIVED.inc(batch.messages)
        return merged

    def _fan_out(self, batch: Batch, merged: bytes) -> None:
        """Writes one frame to everybody, except to a member who wrote all of it."""
        written = self.audience.write(Frame.of(Update(merged)), self._clock(), but_to=batch.sole_author)
        telemetry.UPDATES_DELIVERED.inc(written)

    def _acknowledge(self, batch: Batch) -> None:
        for each in batch:
            each.author.committed(each)
        for author in dict.fromkeys(each.author for each in batch):
            author.flush_acknowledgement()

    # --- doubt and end ----------------------------------------------------------------------------------------------

    @property
    def awaits_store(self) -> bool:
        """Whether the room waits for a store that does not take commits."""
        return self.state is RoomState.LOADING and self._doubted is Doubt.STORE

    def doubt(self, reason: Doubt) -> None:
        """Throws the room's memory away; `on_doubt` has it rebuilt from the journal and calls `resume`."""
        if self.state is not RoomState.LIVE:
            self._drop_everything()
            return
        self._shown = EMPTY_STATE_VECTOR if self.document.condemned else self.state_vector()
        self._doubted = reason
        self.state = RoomState.LOADING
        self._drop_everything()
        if reason is Doubt.STORE:
            self.publish({"type": "store.unavailable"})
        self._on_doubt(self)

    def resume(self, stored: StoredPrompt) -> None:
        """Goes on from what is stored: shows members what they have not seen, and asks them for what is not stored."""
        if self.state is not RoomState.LOADING:
            return
        self._start(stored)
        if (missed := self.diff(self._shown)) is not None:
            self.broadcast(missed)
        if self._doubted is Doubt.STORE:
            self.publish({"type": "store.available"})
        for member in list(self.members):
            member.ask_for_sync()

    async def drain(self) -> None:
        """Admits nothing more, and returns when all that was admitted is committed, shown and acknowledged."""
        if self.state is not RoomState.LIVE:
            return
        self.state = RoomState.DRAINING
        if self._in_flight is not None or self._inbox:
            self._settled = self._loop.create_future()
            self._pace.hurry()
            await self._settled

    def close(self, error: ServerError | None = None) -> None:
        """Ends the room; members are closed with the error."""
        self.state = RoomState.CLOSED
        self._drop_everything()
        self._pace.close()
        self.presence.close()
        for member in list(self.members):
            member.fail(error or PromptNotFound())

    def _drop_everything(self) -> None:
        dropped = [*(self._in_flight or ()), *self._inbox.take()]
        self._in_flight = None
        for each in dropped:
            each.author.dropped()
        self._tell_settled()

    def _tell_settled(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
