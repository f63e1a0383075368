"""The two ends of a connection, without I/O: frames in, events and frames out.

Rules of the server's end:

- a client may send step 1, step 2, updates, presence and a question for it, in any order and number;
- acknowledgements and room events come from servers only; renewed tokens, only where the client has
  offered the extension: anything else is an unknown type;
- step 2 and update messages are numbered from 1 in the order they arrive; acknowledgements count in
  these numbers.

Rules of the client's end:

- a connection begins with step 1 in both directions.  Until the server's step 1 is answered local
  edits only change the document: the answer will carry them, together with everything that an
  earlier connection left unacknowledged;
- from then on every local edit is sent at once;
- an edit is saved when the number of its message is acknowledged, nothing less.

Source: y-protocols ``PROTOCOL.md`` and ``sync.js``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import assert_never

from crdt.awareness import AwarenessEntry, AwarenessStates, Json, encode_awareness, read_awareness
from crdt.codec import decode_frame, encode
from crdt.diff import TextEdit
from crdt.document import EMPTY_UPDATE, Document
from crdt.errors import FrameError
from crdt.events import (
    Acknowledged,
    AwarenessChanged,
    AwarenessQueried,
    AwarenessReceived,
    Changed,
    ClientEvent,
    PeerEvent,
    RoomEventReceived,
    StateVectorReceived,
    Synced,
    TokenRenewed,
    UpdateReceived,
)
from crdt.messages import (
    Acknowledgement,
    AwarenessUpdate,
    Message,
    QueryAwareness,
    RoomEvent,
    SyncStep1,
    SyncStep2,
    TokenRenewal,
    Update,
)
from crdt.update import read_state_vector

__all__ = [
    "Acknowledged",
    "AwarenessChanged",
    "AwarenessQueried",
    "AwarenessReceived",
    "Changed",
    "ClientEvent",
    "ClientPeer",
    "PeerEvent",
    "RoomEventReceived",
    "ServerPeer",
    "StateVectorReceived",
    "Synced",
    "TokenRenewed",
    "UpdateReceived",
]

# A client trusts its server further than a server its clients, and still not with all its memory:
# a step 2 holds a document of the largest size together with its history.
MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_AWARENESS_ENTRIES = 10_000
MAX_AWARENESS_STATE_BYTES = 64 * 1024


class ServerPeer:
    """The server's end of one connection; it holds no document.

    Args:
        max_frame_bytes: the largest frame accepted.
        extensions: whether ``promptroom.v1`` was negotiated.
    """

    def __init__(self, *, max_frame_bytes: int, extensions: bool) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._extensions = extensions
        self._updates = 0
        self._answers = 0

    def receive(self, frame: bytes) -> list[PeerEvent]:
        """Take in one frame.

        Returns:
            What the client said, in order.

        Raises:
            FrameTooLarge: the frame is larger than accepted.
            FrameError: the frame is malformed or says what a client may not say.
            StateVectorError: a state vector is malformed.
        """
        return [self._event(message) for message in decode_frame(frame, max_bytes=self._max_frame_bytes)]

    def _event(self, message: Message) -> PeerEvent:
        match message:
            case Update(update):
                self._updates += 1
                return UpdateReceived(update, self._updates, None)
            case AwarenessUpdate(payload):
                return AwarenessReceived(payload)
            case SyncStep1(state_vector):
                return StateVectorReceived(state_vector, read_state_vector(state_vector))
            case SyncStep2(update):
                self._updates += 1
                self._answers += 1
                return UpdateReceived(update, self._updates, self._answers)
            case QueryAwareness():
                return AwarenessQueried()
            case TokenRenewal(token) if self._extensions:
                return TokenRenewed(token)
            case TokenRenewal() | Acknowledgement() | RoomEvent():
                raise FrameError("a message that a client may not send here", code="frame_unknown_type")
            case _:
                assert_never(message)


class ClientPeer:
    """A client's end, over all the connections of its life; it holds the document.

    Args:
        document: the replica to keep in step; an empty one if none is given.
        clock: tells the time in seconds, for presence.
    """

    def __init__(self, document: Document | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.document = Document() if document is None else document
        self.awareness = AwarenessStates(clock)
        self.synced = False
        self._outgoing: list[bytes] = []
        self._is_open = False
        self._answered = False
        # Local edits that no message of this connection carries yet.
        self._unsent = 0
        self._sent = 0
        self._acknowledged = 0
        self._presence: dict[str, Json] | None = None
        self._presence_clock = 0

    @property
    def text(self) -> str:
        """The text, local edits included."""
        return self.document.text

    @property
    def unacknowledged(self) -> int:
        """How many local changes are not known to be committed."""
        return self._unsent + self._sent - self._acknowledged

    @property
    def saved(self) -> bool:
        """Whether the text is what the server has committed, as far as this end has heard."""
        return self.synced and self.unacknowledged == 0

    def open(self) -> list[bytes]:
        """A connection is open.

        Returns:
            The frames to send first.
        """
        self._is_open = True
        self._outgoing.clear()
        self._send(SyncStep1(self.document.encode_state_vector()))
        self.renew_presence()
        return self.data_to_send()

    def closed(self) -> None:
        """The connection is gone; what it left unacknowledged waits for the next."""
        self._unsent = self.unacknowledged
        self._sent = self._acknowledged = 0
        self._is_open = self._answered = self.synced = False
        self._outgoing.clear()
        self.awareness.remove([entry.client_id for entry in self.awareness.entries()])

    def data_to_send(self) -> list[bytes]:
        """The frames to send now; each is given out once."""
        frames, self._outgoing = self._outgoing, []
        return frames

    def edit(self, edits: Iterable[TextEdit]) -> None:
        """Change the text; the change is sent now, or when a connection is ready for it.

        Args:
            edits: in UTF-16 offsets into the present text, not overlapping.

        Raises:
            OffsetError: an edit names no place in the text.
        """
        update = self.document.edit(edits)
        if update == EMPTY_UPDATE:
            return
        if self._answered:
            self._send(Update(update))
            self._sent += 1
        else:
            self._unsent += 1

    def set_presence(self, state: dict[str, Json] | None) -> None:
        """Say something about oneself to everybody in the room, or with None take it back."""
        was_here = self._presence is not None
        self._presence = state
        if state is not None or was_here:
            self._announce()

    def renew_presence(self) -> None:
        """Say it again; others forget a client that is silent for half a minute."""
        if self._presence is not None:
            self._announce()

    def renew_token(self, token: str) -> None:
        """Go on under another access token; without effect while no connection is open."""
        self._send(TokenRenewal(token))

    def receive(self, frame: bytes) -> list[ClientEvent]:
        """Take in one frame; what it asks for is in ``data_to_send``.

        Returns:
            What happened, in order.

        Raises:
            CrdtError: the frame is malformed or says what a server may not say.
            EngineFailure: the engine did not survive an update; the document is condemned.
        """
        messages = decode_frame(frame, max_bytes=MAX_FRAME_BYTES)
        return [event for message in messages for event in self._events(message)]

    def _events(self, message: Message) -> Iterator[ClientEvent]:
        match message:
            case Update(update):
                yield from self._apply(update)
            case SyncStep2(update):
                yield from self._apply(update)
                if not self.synced:
                    self.synced = True
                    yield Synced()
            case SyncStep1(state_vector):
                self._answer(state_vector)
            case Acknowledgement(count):
                self._acknowledge(count)
                yield Acknowledged(count)
            case AwarenessUpdate(payload):
                yield from self._hear(payload)
            case QueryAwareness():
                self.renew_presence()
            case RoomEvent(text):
                yield RoomEventReceived(_read_event(text))
            case TokenRenewal():
                raise FrameError("a message that a server may not send", code="frame_unknown_type")
            case _:
                assert_never(message)

    def _apply(self, update: bytes) -> Iterator[ClientEvent]:
        if update != EMPTY_UPDATE:
            self.document.apply([update])
            yield Changed(update)

    def _answer(self, state_vector: bytes) -> None:
        read_state_vector(state_vector)
        self._send(SyncStep2(self.document.encode_diff(state_vector)))
        self._sent += 1
        self._unsent = 0
        self._answered = True

    def _acknowledge(self, count: int) -> None:
        if not self._acknowledged <= count <= self._sent:
            raise FrameError(f"{count} acknowledged of {self._sent} sent, after {self._acknowledged}")
        self._acknowledged = count

    def _hear(self, payload: bytes) -> Iterator[ClientEvent]:
        entries = read_awareness(payload, max_entries=MAX_AWARENESS_ENTRIES, max_state_bytes=MAX_AWARENESS_STATE_BYTES)
        others = [entry for entry in entries if entry.client_id != self.document.client_id]
        for entry in entries:
            if entry.client_id == self.document.client_id and entry.state is None:
                # Reported gone: the next announcement needs a higher clock to be believed.
                self._presence_clock = max(self._presence_clock, entry.clock)
        news = self.awareness.apply(others)
        if news:
            yield AwarenessChanged(tuple(news))

    def _announce(self) -> None:
        self._presence_clock += 1
        entry = AwarenessEntry(self.document.client_id, self._presence_clock, self._presence)
        self._send(AwarenessUpdate(encode_awareness([entry])))

    def _send(self, message: Message) -> None:
        if self._is_open:
            self._outgoing.append(encode(message))


def _read_event(text: str) -> dict[str, Json]:
    try:
        event: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError("a room event is not JSON") from error
    if not isinstance(event, dict):
        raise FrameError("a room event is not an object")
    return event
