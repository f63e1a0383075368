"""One connection in one room.

States
    joining   authenticated, the room is being loaded; frames wait, and after the first one so does the socket.
    joined    frames are handled in the order they came; one that is heavy to read makes the others wait.
    closed    nothing is read or written any more; edits already handed to the room still count.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec

from crdt.errors import CrdtError
from crdt.messages import Acknowledgement, RoomEvent, SyncStep1
from crdt.peer import (
    AwarenessQueried,
    AwarenessReceived,
    ServerPeer,
    StateVectorReceived,
    TokenRenewed,
    UpdateReceived,
)
from server import telemetry
from server.access import Action, lower_role, may
from server.acknowledgements import Acknowledgements
from server.admission import read_submitted
from server.errors import FrameRejected, NotAuthenticated, ServerError, as_server_error
from server.limits import HEAVY_BYTES, KEEPALIVE_SECONDS, MAX_FRAME_BYTES, OUTBOX_DRAIN_SECONDS
from server.membership import RoomOfMember, Submission, Surroundings, greeting
from server.outbox import KEEPALIVE, Frame, Outbox
from server.questions import Questions
from server.renewal import Renewal
from server.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from crdt.peer import PeerEvent
    from crdt.update import UpdateSummary
    from server.access import Principal, Role
    from server.outbox import Sink

P = ParamSpec("P")

_CLOSE_TOO_SLOW = 1013
_CLOSE_GONE = 1011


class Session:
    """The protocol state of one connection; a member and an author of its room.

    Arguments: `sink` is the socket; `principal` who is on the other end; `extensions` whether the client offered
    `promptroom.v1`.
    """

    def __init__(self, sink: Sink, principal: Principal, surroundings: Surroundings, *, extensions: bool) -> None:
        self.principal = principal
        self.client_ids_bound = 0
        self._sink = sink
        self._surroundings = surroundings
        self._extensions = extensions
        self._outbox = Outbox(sink, surroundings.now())
        self._peer = ServerPeer(max_frame_bytes=MAX_FRAME_BYTES, extensions=extensions)
        self._acknowledgements = Acknowledgements()
        self._room: RoomOfMember | None = None
        self._events: deque[PeerEvent] = deque()
        self._reading_heavy = False
        self._questions = Questions()
        self._unanswered_step_1 = 0
        self._asked_this_tick = self._has_to_ask = False
        self._renewal = Renewal(self, surroundings)
        self.upkeep = Upkeep(sink, surroundings.now())

    @property
    def user_id(self) -> UUID:
        """Whose edits these are."""
        return self.principal.user_id

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""
        return self._outbox.closed

    # --- from the socket --------------------------------------------------------------------------------------------

    def receive(self, *frames: bytes) -> None:
        """Takes frames as they came from the socket, in one go where they came so."""
        if self._outbox.closed:
            return
        malformed: CrdtError | None = None
        try:
            self._events.extend(self._peer.receive_all(frames) if len(frames) > 1 else self._peer.receive(frames[0]))
        except CrdtError as error:
            malformed = error
        if self._room is None:
            self._sink.pause_reading()
        self._handle_waiting()
        if malformed is not None:
            self.fail(as_server_error(malformed))

    def congested(self) -> None:
        """The socket's buffer passed its bound."""
        if self._room is not None:
            self._outbox.congested(self._room.state_vector(), self._surroundings.now())
            self._room.audience.changed()
            self.upkeep.soon()

    def drained(self) -> None:
        """The socket's buffer is empty: the reader gets what it missed, in one diff."""
        state_reached = self._outbox.drained()
        if state_reached is not None and self._room is not None:
            self._room.audience.changed()
            telemetry.RESYNCS.inc()
            self._guarded(self._send_diff, state_reached)
            self.send_presence()
            self.flush_acknowledgement()
            self.ask_for_sync()

    def disconnected(self) -> None:
        """The socket is gone."""
        self._outbox.closed = True
        self._events.clear()
        room, self._room = self._room, None
        if room is not None:
            room.leave(self)

    # --- from the room ----------------------------------------------------------------------------------------------

    def joined(self, room: RoomOfMember, welcome: dict[str, object]) -> None:
        """The room is live: says hello, asks for what the client has, and handles what came meanwhile."""
        self._room = room
        self.send_event({**greeting(self.principal), **welcome})
        self.ask_for_sync()
        self.send_presence()
        self._sink.resume_reading()
        self._handle_waiting()

    @property
    def keeps_up(self) -> bool:
        """Whether the reader may be sent what a later diff would make up for."""
        return self._outbox.is_open

    @property
    def write(self) -> Callable[[Frame], None]:
        """Writes to the socket of a reader that keeps up."""
        return self._sink.write

    def committed(self, submission: Submission) -> None:
        """A submission of this connection is in the journal and shown."""
        self._acknowledgements.committed(submission.ordinal, submission.messages, closes_gaps=submission.answers_step_1)

    def flush_acknowledgement(self) -> None:
        """Tells the client how many of its messages are committed, if that changed."""
        if not self._extensions or not self._outbox.is_open:
            return
        count = self._acknowledgements.take_news()
        if count is not None:
            self._send(Frame.of(Acknowledgement(count)))

    def refused(self, error: ServerError) -> None:
        """A submission that had been held back is not allowed."""
        self.fail(error)

    def dropped(self) -> None:
        """Edits were lost with the room's memory; the sync step that follows brings them back."""

    def ask_for_sync(self) -> None:
        """Sends a step 1: the client answers with everything that the committed document lacks."""
        if self._room is not None:
            self._unanswered_step_1 += 1
            self._send(Frame.of(SyncStep1(self._room.state_vector())))

    def held_back(self) -> None:
        """An update came before what it builds on; an answer that is on its way already brings that."""
        # One who reads nothing is asked when that changes, and one whose answers do not help only once a tick.
        self._has_to_ask = self._asked_this_tick
        self.upkeep.soon()
        if not (self._unanswered_step_1 or self._asked_this_tick) and self._outbox.is_open:
            self._asked_this_tick = True
            self.ask_for_sync()

    def send_event(self, event: dict[str, object]) -> None:
        """Sends a room event to a client that knows them."""
        if self._extensions:
            self._send(Frame.of(RoomEvent(json.dumps(event, ensure_ascii=False, separators=(",", ":")))))

    def send_presence(self) -> None:
        """Sends the presence of all."""
        everybody = self._room.presence.everybody() if self._room is not None else None
        if everybody is not None and self._outbox.is_open:
            self._send(everybody)

    def role_changed(self, role: Role) -> None:
        """The membership changed while the socket was open."""
        self.principal = replace(self.principal, role=lower_role(role, self.principal.role_cap))
        self.send_event({"type": "role.changed", "role": self.principal.role.value})
        # Edits that were not taken from a viewer are taken now.
        self.ask_for_sync()

    def renewed(self, principal: Principal) -> None:
        """Goes on under another token of the same user."""
        before, self.principal = self.principal, principal
        self.upkeep.soon()
        if before.role is not principal.role:
            self.role_changed(principal.role)

    def tick(self, now: float, wall_now: float) -> None:
        """Does what time asks for; `now` in the seconds of the surroundings, `wall_now` in those since the epoch."""
        outbox = self._outbox
        heard_at = max(outbox.sent_at, self._room.audience.all_written_at if self._room is not None else 0.0)
        self.upkeep.plan(now, heard_at=heard_at, expires_in=self.principal.expires_at - wall_now)
        self._asked_this_tick = False
        if self._has_to_ask and not self._unanswered_step_1:
            self.held_back()
        if (postponed := self._questions.tick()) is not None:
            self._guarded(self._answer_step_1, postponed)
        if wall_now >= self.principal.expires_at:
            self.fail(NotAuthenticated("The token has expired.", code="token_expired"))
        elif outbox.lagging_since is not None:
            self.upkeep.soon()
            if outbox.is_stuck(now, OUTBOX_DRAIN_SECONDS):
                self.close(_CLOSE_TOO_SLOW, "too slow: come back")
        elif self.upkeep.is_gone(now):
            self.close(_CLOSE_GONE, "no answer to a ping")
        elif outbox.is_open and now - heard_at >= KEEPALIVE_SECONDS:
            outbox.send(KEEPALIVE, now)

    # --- ending -----------------------------------------------------------------------------------------------------

    def fail(self, error: ServerError) -> None:
        """Closes the connection for an error that is its own."""
        if isinstance(error, FrameRejected):
            telemetry.FRAMES_REJECTED.labels(error.code).inc()
        self.close(error.close_code, f"{error.code}: {error.message}")

    def close(self, code: int, reason: str) -> None:
        """Closes the connection."""
        if not self._outbox.closed:
            telemetry.CONNECTIONS_CLOSED.labels(str(code)).inc()
            self._outbox.close(code, reason)
            self.disconnected()

    # --- handling ---------------------------------------------------------------------------------------------------

    def _send(self, frame: Frame) -> None:
        self._outbox.send(frame, self._surroundings.now())

    def _handle_waiting(self) -> None:
        while self._events and self._room is not None and not self._reading_heavy:
            self._guarded(self._handle, self._room, self._events.popleft())

    def _guarded(self, action: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except (CrdtError, ServerError) as error:
            self.fail(as_server_error(error))

    def _handle(self, room: RoomOfMember, event: PeerEvent) -> None:
        match event:
            case UpdateReceived():
                self._take_update(room, event)
            case StateVectorReceived(state_vector=state_vector):
                self._answer_step_1(state_vector)
            case AwarenessReceived(payload=payload):
                room.presence.receive(self, payload)
            case AwarenessQueried():
                self.upkeep.soon()
                if self._questions.may_be_answered():
                    self.send_presence()
            case TokenRenewed(token=token):
                self._renewal.take(token)

    def _take_update(self, room: RoomOfMember, event: UpdateReceived) -> None:
        if event.answers is not None and self._unanswered_step_1:
            self._unanswered_step_1 -= 1
        if len(event.update) <= HEAVY_BYTES:
            self._submit(room, event, event.summary or read_submitted(event.update))
        elif may(self.principal, Action.EDIT):
            # Nothing of a viewer's is taken, so nobody's paste has to wait while it is read.
            self._reading_heavy = True
            self._sink.pause_reading()
            self._surroundings.spawn(self._take_heavy_update(event), name="read_heavy_update")

    async def _take_heavy_update(self, event: UpdateReceived) -> None:
        try:
            summary = await self._surroundings.read_heavy(event.update)
        except (CrdtError, ServerError) as error:
            self.fail(as_server_error(error))
            return
        self._reading_heavy = False
        if self._room is not None:
            self._guarded(self._submit, self._room, event, summary)
            self._sink.resume_reading()
            self._handle_waiting()

    def _submit(self, room: RoomOfMember, event: UpdateReceived, summary: UpdateSummary) -> None:
        answers_step_1 = event.answers is not None
        # What is empty goes this way too, for it may only be acknowledged behind all that came before.
        if summary.is_empty or may(self.principal, Action.EDIT):
            room.submit(Submission(event.update, summary, self, event.ordinal, answers_step_1, messages=event.messages))
        # What a viewer sends changes nothing and is not acknowledged; stock clients answer every step 1, also theirs.

    def _answer_step_1(self, state_vector: bytes) -> None:
        self.upkeep.soon()
        if self._outbox.lagging_since is not None:
            # Answered when the buffer is empty: asking often while not reading must not pile up answers.
            self._outbox.state_reached = state_vector
        elif self._questions.may_be_answered():
            self._send_diff(state_vector)
        else:
            self._questions.postpone(state_vector)

    def _send_diff(self, state_vector: bytes) -> None:
        diff = self._room.diff(state_vector) if self._room is not None else None
        if diff is not None:
            self._send(diff)
