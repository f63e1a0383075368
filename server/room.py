"""A prompt that is live in this process: its document, its members, and what becomes of an edit.

Updates are admitted, committed, shown and acknowledged, in this order and never otherwise. What other nodes commit is
shown in its place among our own: everybody, on every node, is shown the journal in its order. Its life stands in
`server.life`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crdt.document import EMPTY_STATE_VECTOR
from crdt.errors import CrdtError, EngineFailure
from crdt.messages import SyncStep2, Update
from server import telemetry
from server.admission import Admission, Verdict
from server.appender import Appender, acknowledge
from server.arrivals import Arrivals, Elsewhere, Ours
from server.audience import Audience
from server.envelope import Envelope, HeadMoved, PresenceNews
from server.errors import ClientIdConflict, PromptNotFound, ServerError
from server.life import Doubt, RoomState
from server.limits import HEAVY_BYTES
from server.membership import Member, Submission
from server.outbox import Frame
from server.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from crdt.document import Document
    from persistence.store import Store
    from server.inbox import Batch
    from server.membership import RoomKeeper
    from server.rebuild import StoredPrompt

_log = telemetry.get_logger(__name__)


class Room:
    """One prompt, live.

    Arguments: `stored` is the prompt as it was rebuilt from the store; `keeper` is told what the room cannot do for
    itself, and answers it by `resume`, `close` or `follow`.
    """

    def __init__(
        self, stored: StoredPrompt, store: Store, keeper: RoomKeeper[Room], *, clock: Callable[[], float]
    ) -> None:
        self.prompt_id: UUID = stored.prompt_id
        self.members: dict[Member, None] = {}
        self.audience = Audience(self.members)
        self.state = RoomState.LOADING
        self.settled = asyncio.Event()
        self.pins = 0
        self.idle_since: float | None = None
        self._keeper = keeper
        self._clock = clock
        self._doubted = Doubt.STORE
        self._shown = EMPTY_STATE_VECTOR
        self.arrivals = Arrivals()
        self.presence = Presence(
            asyncio.get_running_loop(),
            clock=clock,
            broadcast=self.broadcast,
            bindings=lambda: self._gate.bindings,
            publish=(lambda payload: keeper.tell(stored.prompt_id, PresenceNews(payload))) if keeper.are_many else None,
            node_id=keeper.node_id,
        )
        self.appender = Appender(
            self.prompt_id,
            store,
            clock=clock,
            take_bindings=lambda: self._gate.take_new_bindings(),  # noqa: PLW0108 - after a doubt it is another gate
            readers=self.members.__len__,
            is_current=keeper.is_current,
            on_committed=self._committed,
            on_doubt=self.doubt,
        )
        self._start(stored)

    def _start(self, stored: StoredPrompt) -> None:
        self.epoch = stored.epoch
        self.head_seq = stored.head_seq
        self.arrivals.known_seq = max(self.arrivals.known_seq, stored.head_seq)
        self.checkpoint_seq = stored.checkpoint_seq
        self.checkpointed_at = self._clock()
        self.document: Document = stored.document
        self._gate = Admission(
            stored.knowledge, stored.bindings, measure=self._size_to_be, announced_by=self.presence.user_of
        )
        self._whole: Frame | None = None
        self.state = RoomState.LIVE
        self.settled.set()

    def _size_to_be(self) -> int:
        """Answers the bytes of the document with all that was admitted, on the way to the journal or not; or more."""
        return len(self.document.encode_state()) + self.appender.size

    # --- members ----------------------------------------------------------------------------------------------------

    def join(self, member: Member) -> None:
        """Takes a member into a live room."""
        self.members[member] = None
        self.audience.changed()
        self.idle_since = None
        self.presence.join(member)
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
        """Sends a room event to everybody who is in the room on this node."""
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

    def submit(self, submission: Submission, *, again: bool = False) -> None:
        """Takes an update, `again` where it was put off.

        Its author hears `committed`, `refused` or, when the room lost its memory first, `dropped`. Raises ServerError.
        """
        if self.state is not RoomState.LIVE:
            submission.author.dropped()
            return
        try:
            verdict, admitted = self._gate.admit(submission)
        except ClientIdConflict:
            # What seems to be new under another's id may be stored, and only not heard of here yet.
            if again or not self._keeper.look_ahead(self, submission):
                raise
            return
        if verdict is Verdict.HELD_BACK:
            telemetry.HELD_BACK.inc()
            submission.author.held_back()
            self._keeper.look_ahead(self)
            return
        self.appender.add(admitted, repeated=submission if verdict is Verdict.KNOWN else None)

    def _committed(self, batch: Batch, last_seq: int) -> None:
        ours = Ours(last_seq - len(batch.updates) + 1, last_seq, batch)
        # What was shown under these numbers is not in the journal any more: it went back, as after a failover.
        if ours.first_seq <= self.head_seq or (ours.first_seq != self.head_seq + 1 and not self._keeper.are_many):
            self.doubt(Doubt.JOURNAL_MOVED)
            return
        self.arrivals.add(ours)
        self.advance()
        self._keeper.after_commit(self)

    def advance(self) -> None:
        """Shows what has come, as far as it goes without a gap."""
        while self.state.has_memory and (arrival := self.arrivals.take(self.head_seq)) is not None:
            try:
                self._show(arrival)
            except EngineFailure:
                telemetry.ENGINE_FAILURES.inc()
                self.doubt(Doubt.ENGINE)
            except (CrdtError, ServerError) as error:
                _log.info("journal_overlaps", prompt_id=str(self.prompt_id), seq=arrival.first_seq, reason=str(error))
                self.doubt(Doubt.JOURNAL_MOVED)
        self.arrivals.shown(self.head_seq)
        if self.state.has_memory and self.is_behind:
            self._keeper.is_behind(self)

    def _show(self, arrival: Elsewhere | Ours) -> None:
        if isinstance(arrival, Ours):
            batch = arrival.batch
            merged = self._apply([each.update for each in batch.updates], arrival.last_seq)
            telemetry.UPDATES_RECEIVED.inc(batch.messages)
            # Not to a member who wrote all of it.
            self._fan_out(merged, but_to=batch.sole_author)
            acknowledge(batch)
            self.appender.settle()
            self._tell(arrival, merged)
        else:
            released = self._gate.take_in(arrival)
            self._fan_out(self._apply(arrival.updates, arrival.last_seq), but_to=None)
            self.appender.add(released)

    def _apply(self, updates: Sequence[bytes], last_seq: int) -> bytes:
        merged = self.document.apply(updates)
        self._whole = None
        self.head_seq = last_seq
        return merged

    def _fan_out(self, merged: bytes, *, but_to: object | None) -> None:
        written = self.audience.write(Frame.of(Update(merged)), self._clock(), but_to=but_to)
        telemetry.UPDATES_DELIVERED.inc(written)

    def _tell(self, ours: Ours, merged: bytes) -> None:
        """Tells the other nodes; of what is heavy they are told only that it is there."""
        if not self._keeper.are_many:
            return
        if len(merged) > HEAVY_BYTES:
            self._keeper.tell(self.prompt_id, HeadMoved(self.epoch, ours.last_seq))
            return
        bindings = tuple(ours.batch.bindings.items())
        self._keeper.tell(self.prompt_id, Envelope(self.epoch, ours.first_seq, ours.last_seq, merged, bindings))

    # --- what other nodes commit --------------------------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """Whether the journal is known to reach further than what is shown."""
        return self.arrivals.known_seq > self.head_seq

    def hear(self, elsewhere: Elsewhere) -> None:
        """Takes what another node has committed, in whatever order it comes; it is shown when it is its turn."""
        self.arrivals.add(elsewhere, is_next=elsewhere.first_seq == self.head_seq + 1)
        self.advance()

    def learn(self, seq: int) -> None:
        """Hears that the journal reaches at least this far."""
        if seq > self.arrivals.known_seq:
            self.arrivals.known_seq = seq
            self.advance()

    async def reach(self, seq: int) -> None:
        """Returns when everything up to a seq is shown. Raises StoreUnavailable where that cannot be told now."""
        self.learn(seq)
        if seq > self.head_seq:
            await self.arrivals.wait_for(seq)

    # --- doubt and end ----------------------------------------------------------------------------------------------

    @property
    def awaits_store(self) -> bool:
        """Whether the room waits for a store that does not take commits."""
        return self.state is RoomState.LOADING and self._doubted is Doubt.STORE

    def doubt(self, reason: Doubt) -> None:
        """Throws the room's memory away; its keeper has it rebuilt from the journal and calls `resume`."""
        if self.state is not RoomState.LIVE:
            self._drop_everything()
            return
        self._shown = EMPTY_STATE_VECTOR if self.document.condemned else self.state_vector()
        self._doubted = reason
        self.state = RoomState.LOADING
        self.settled.clear()
        self._drop_everything()
        if reason is Doubt.STORE:
            self.publish({"type": "store.unavailable"})
        self._keeper.doubted(self)

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
        # A commit whose answer was lost has been told to nobody.
        self._keeper.tell(self.prompt_id, HeadMoved(self.epoch, self.head_seq))
        self.advance()

    async def drain(self) -> None:
        """Admits nothing more, and returns when all that was admitted is committed, shown and acknowledged."""
        if self.state is RoomState.LIVE:
            self.state = RoomState.DRAINING
            await self.appender.drain()

    def close(self, error: ServerError | None = None) -> None:
        """Ends the room; members are closed with the error."""
        self.state = RoomState.CLOSED
        self.settled.set()
        self._drop_everything()
        self.appender.close()
        self.presence.close()
        for member in list(self.members):
            member.fail(error or PromptNotFound())

    def _drop_everything(self) -> None:
        self.arrivals.clear()
        self.appender.drop()
